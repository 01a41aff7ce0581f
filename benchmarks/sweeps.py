"""The overhead of a sweep's job beyond its training, and two jobs at once compared with one at a time."""

import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.processes import mnist_root, run
from benchmarks.results import Bar, Results, median

ROUNDS, JOBS, EPOCHS = 5, 6, 1
SWEEP = ["-m", "latentlab", "train", "--multirun"]


def measure() -> Results:
    results = Results("sweeps", "Jobs of a sweep", drawn=("seconds",), unit="seconds")
    results.rows += _overheads()
    beyond = next(row["seconds"] for row in results.rows if row["what"].startswith("beyond"))
    results.bars.append(Bar("seconds of a job in a warm process beyond its training and its test", beyond, 0.3))
    ratios = []
    for _ in range(ROUNDS):
        one = _runs_per_minute(threads=2)
        two = _runs_per_minute("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
        ratios.append(two / one)
        results.rows.append({"what": "runs per minute, one job of two threads", "seconds": None, "runs": one})
        results.rows.append({"what": "runs per minute, two jobs of one thread", "seconds": None, "runs": two})
    results.bars.append(Bar("two jobs of one thread, relative to one of two", median(ratios), 1.3, least=True))
    return results


def _overheads() -> list[dict[str, Any]]:
    """For the jobs after the first: from the end of one to the end of the next, minus training and test."""
    with tempfile.TemporaryDirectory() as folder:
        _sweep(folder)
        files = sorted(Path(folder).glob("*/metrics.json"), key=lambda file: file.stat().st_mtime)
        ends = [file.stat().st_mtime for file in files]
        runs = [json.loads(file.read_text()) for file in files]
    whole = [after - before for before, after in pairwise(ends)]
    training = [each["train_seconds"] for each in runs[1:]]
    test = [each["test_seconds"] for each in runs[1:]]
    beyond = [a - b - c for a, b, c in zip(whole, training, test, strict=True)]
    named = {"a job": whole, "training": training, "test with its pictures": test, "beyond them": beyond}
    return [{"what": name, "seconds": median(values)} for name, values in named.items()]


def _runs_per_minute(*launcher: str, threads: int | None = None) -> float:
    """Of a sweep whose processes are warm: the start of the first job is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        _sweep(folder, *launcher, threads=threads)
        ends = sorted(file.stat().st_mtime for file in Path(folder).glob("*/metrics.json"))
        workers = 2 if launcher else 1
    return 60 * (len(ends) - workers) / (ends[-1] - ends[workers - 1])


def _sweep(folder: str, *options: str, threads: int | None = None) -> None:
    seeds = ",".join(map(str, range(JOBS)))
    run(
        [
            *SWEEP,
            f"seed={seeds}",
            f"data.root={mnist_root()}",
            f"hydra.sweep.dir={folder}",
            f"trainer.max_epochs={EPOCHS}",
            *options,
        ],
        threads=threads,
    )
