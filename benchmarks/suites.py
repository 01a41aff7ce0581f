"""The time of each suite of an evaluation, with its slowest measurement."""

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.processes import run, train
from benchmarks.results import Bar, Results, median

ROUNDS = 3
BOUNDS = {"quick": 30.0, "full": 300.0}
RUNS = {
    "vae, mlp": ["model=vae"],
    "cvae, mlp": ["model=cvae"],
    "vae, cnn": ["model=vae", "net=cnn"],
    "sparse_ae, 1,000 units": ["model=sparse_ae", "model/penalty=topk", "model.latent_dim=1000"],
}


def measure() -> Results:
    results = Results("suites", "Seconds of an evaluation on MNIST", drawn=("seconds",), unit="seconds")
    with tempfile.TemporaryDirectory() as outputs:
        for name, options in RUNS.items():
            folder = f"{outputs}/{name.replace(', ', '_')}"
            train(folder, *options, "trainer.max_epochs=1", "callbacks=no_pictures")
            _evaluate(folder, "quick", outputs)  # trains the reference classifier, which is kept
            for suite, bound in BOUNDS.items():
                rounds = [_evaluate(folder, suite, outputs) for _ in range(ROUNDS if suite == "quick" else 1)]
                seconds = median([sum(found.values()) for found in rounds])
                slowest = max(rounds[0], key=rounds[0].__getitem__)
                results.rows.append(
                    {"what": f"{name}, {suite}", "seconds": seconds, "slowest": slowest, "of it": rounds[0][slowest]}
                )
                results.bars.append(Bar(f"{name}, suite={suite}, seconds", seconds, bound))
    return results


def _evaluate(folder: str, suite: str, outputs: str) -> dict[str, float]:
    """Seconds per measurement and picture."""
    run(["-m", "latentlab", "evaluate", f"run={folder}", f"suite={suite}", f"paths.output_dir={outputs}"])
    metrics: dict[str, Any] = json.loads((Path(folder) / "metrics.json").read_text())
    found: dict[str, float] = metrics["evaluation"]["seconds"]
    return found
