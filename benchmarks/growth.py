"""How the cost grows: with epochs, with data, with the latent size and with the number of jobs of a sweep."""

import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.processes import run, train
from benchmarks.results import Results

EPOCHS = (1, 2, 4, 8, 16)
FRACTIONS = (0.25, 0.5, 1.0)
LATENTS = (2, 20, 200, 1000)
JOBS = (1, 2, 4, 8, 16)


def measure() -> Results:
    results = Results("growth", "How the cost grows", drawn=("seconds",), unit="seconds")
    results.rows += [*_epochs(), *_data(), *_latents(), *_jobs()]
    return results


def _epochs() -> Iterator[dict[str, Any]]:
    for epochs in EPOCHS:
        seconds = _train_seconds(f"trainer.max_epochs={epochs}")
        yield {"what": f"epochs {epochs}", "seconds": seconds, "each": seconds / epochs}


def _data() -> Iterator[dict[str, Any]]:
    for fraction in FRACTIONS:
        seconds = _train_seconds("trainer.max_epochs=4", f"trainer.limit_train_batches={fraction}")
        yield {"what": f"fraction of the images {fraction}", "seconds": seconds, "each": seconds / fraction}


def _latents() -> Iterator[dict[str, Any]]:
    for size in LATENTS:
        seconds = _train_seconds("trainer.max_epochs=2", f"model.latent_dim={size}")
        yield {"what": f"latent units {size}", "seconds": seconds, "each": None}


def _jobs() -> Iterator[dict[str, Any]]:
    for jobs in JOBS:
        with tempfile.TemporaryDirectory() as folder:
            options = [f"seed={','.join(map(str, range(jobs)))}", "data=digits", "trainer.max_epochs=1"]
            command = ["-m", "latentlab", "train", "--multirun", *options, f"hydra.sweep.dir={folder}"]
            whole = run([*command, "callbacks=no_pictures"])
        row = {"what": f"jobs of a sweep {jobs}", "seconds": whole.seconds, "each": whole.seconds / jobs}
        yield {**row, "peak MiB": whole.peak_mib}


def _train_seconds(*options: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        seconds, _ = train(folder, "callbacks=no_pictures", *options)
    return seconds
