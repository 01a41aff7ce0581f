"""The time that a report of 500 runs takes, and the size of its page."""

import json
import random
import shutil
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import run
from benchmarks.results import Bar, Results, median

ROUNDS = 3
BETAS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SIZES = (2, 4, 6, 8, 10, 12, 16, 20, 32, 64)
SEEDS = range(5)
EPOCHS, FURTHER = 50, 40
LOGGED = [f"{split}/{name}" for split in ("train", "val") for name in ("objective", "mse", "bce", "kl", "elbo")]
SMALL = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=2", "model=vae", "logger=none"]


def measure() -> Results:
    results = Results("report", "A report of a sweep", label="runs", drawn=("seconds",), unit="seconds")
    with tempfile.TemporaryDirectory() as folder:
        real, sweep = Path(folder) / "real", Path(folder) / "sweep"
        run(["-m", "latentlab", "train", *SMALL, f"hydra.run.dir={real}"])
        write_sweep(real, sweep)
        rounds = [run(["-m", "latentlab", "report", f"sweep={sweep}"], threads=1) for _ in range(ROUNDS)]
        seconds, size = median([side.seconds for side in rounds]), (sweep / "report.html").stat().st_size / 1e6
        count = len(json.loads((sweep / "sweep.json").read_text())["jobs"])
    results.rows.append(
        {"runs": count, "seconds": seconds, "page MB": size, "peak MiB": max(side.peak_mib for side in rounds)}
    )
    results.bars += [
        Bar("seconds of a report of 500 runs", seconds, 20.0),
        Bar("megabytes of its page", size, 15.0),
    ]
    return results


def write_sweep(real: Path, sweep: Path) -> None:
    """500 runs of 100 configs, copied from a real one with other metrics; some have failed, and one is missing."""
    config = yaml.safe_load((real / ".hydra" / "resolved.yaml").read_text())
    metrics = json.loads((real / "metrics.json").read_text())
    source, jobs = random.Random(0), []
    for beta, size, seed in product(BETAS, SIZES, SEEDS):
        overrides = [f"model.beta={beta}", f"model.latent_dim={size}", f"seed={seed}"]
        folder = ",".join(overrides)
        jobs.append({"folder": folder, "overrides": overrides, "config_hash": "0" * 16})
        if (beta, size, seed) != (1.0, 2, 0):
            _write_run(real, sweep / folder, config, metrics, (beta, size, seed), source)
    content = {"name": "five hundred", "command": ["latentlab train", "-m"], "jobs": jobs}
    (sweep / "sweep.json").write_text(json.dumps(content))


def _write_run(
    real: Path,
    folder: Path,
    config: dict[str, Any],
    metrics: dict[str, Any],
    chosen: tuple[float, int, int],
    source: random.Random,
) -> None:
    beta, size, seed = chosen
    shutil.copytree(real / "figures", folder / "figures")
    (folder / ".hydra").mkdir()
    config["model"] |= {"beta": beta, "latent_dim": size}
    config["seed"] = config["data"]["seed"] = seed
    (folder / ".hydra" / "resolved.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    level = 0.02 * (1 + abs(beta - 1)) ** 0.3 / size**0.4
    curve = [level * (1 + 3 / (epoch + 1)) * source.gauss(1, 0.01) for epoch in range(EPOCHS)]
    lines = [
        json.dumps({"epoch": k + 1, "step": 10 * k, **dict.fromkeys(LOGGED, value)}) for k, value in enumerate(curve)
    ]
    (folder / "history.jsonl").write_text("\n".join(lines) + "\n")
    if source.random() < 0.02:
        (folder / "status.json").write_text(json.dumps({"status": "failed", "reason": "out of memory"}))
        return
    values = {name: (value or 0.0) * source.gauss(1, 0.05) for name, value in metrics["metrics"].items()}
    values |= {"test/mse": curve[-1]} | {f"test/further_{k}": source.random() for k in range(FURTHER)}
    content = {**metrics, "metrics": values, "seed": seed, "train_seconds": 10 + size * source.random()}
    content["parameters"] = 10_000 + 600 * size
    (folder / "metrics.json").write_text(json.dumps(content))
    (folder / "status.json").write_text(json.dumps({"status": "complete", "reason": ""}))
