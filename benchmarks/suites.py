"""What each suite of an evaluation takes, measurement by measurement, beside the training it follows."""

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
            _evaluated(folder, "quick", outputs)  # trains the judge, once for all
            for suite, bound in BOUNDS.items():
                rounds = [_evaluated(folder, suite, outputs) for _ in range(ROUNDS if suite == "quick" else 1)]
                seconds = median([sum(found.values()) for found in rounds])
                slowest = max(rounds[0], key=lambda what: rounds[0][what])
                results.rows.append(
                    {"what": f"{name}, {suite}", "seconds": seconds, "slowest": slowest, "of it": rounds[0][slowest]}
                )
                results.bars.append(Bar(f"{name}, suite={suite}, seconds", seconds, bound))
    return results


def _evaluated(folder: str, suite: str, outputs: str) -> dict[str, float]:
    """Seconds by measurement and picture."""
    run(["-m", "latentlab", "evaluate", f"run={folder}", f"suite={suite}", f"paths.output_dir={outputs}"])
    metrics: dict[str, Any] = json.loads((Path(folder) / "metrics.json").read_text())
    found: dict[str, float] = metrics["evaluation"]["seconds"]
    return found
