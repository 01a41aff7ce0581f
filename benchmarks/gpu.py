"""Time of a step on a GPU: latentlab eager and compiled, by steps in a call, a bare loop and one of a CUDA graph."""

import sys
import tempfile
from itertools import product

import torch

from benchmarks.processes import run
from benchmarks.results import Results

BATCHES = (128, 512, 4096)
PRECISIONS = ("32-true", "bf16-mixed")
PAIRS = 30


def measure() -> Results:
    if not torch.cuda.is_available():
        sys.exit("error: gpu: no CUDA device: torch.cuda.is_available() is false")
    results = Results(
        "gpu", "A step on a GPU, and bare loops in turn", label="cell", unit="us per step", log_scale=True
    )
    results.drawn = ("latentlab us", "bare us", "graph us")
    for batch, precision, compiled, steps in product(BATCHES, PRECISIONS, ("false", "true"), (1, 100)):
        given = [f"trainer.compile={compiled}", f"trainer.steps_per_call={steps}"]
        with tempfile.TemporaryDirectory() as folder:
            cell = run(["-m", "benchmarks.step_cell", "mlp", str(batch), precision, str(PAIRS), folder, *given])
        kind = "compiled" if compiled == "true" else "eager"
        name = f"batch {batch}, {precision}, {kind}, {steps} step{'s' * (steps > 1)} a call"
        results.rows.append({"cell": name, **cell.result(), "process s": cell.seconds, "peak MiB": cell.peak_mib})
    results.rows += [{"cell": name, "process s": seconds} for name, seconds in _compilation().items()]
    return results


def _compilation() -> dict[str, float]:
    """Seconds of a process that trains for two steps: eager, and compiled with an empty and with a filled cache."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as folder:
        short = ["-m", "latentlab", "train", "data=digits", "trainer=gpu", "+trainer.max_steps=2", "logger=none"]
        found = {}
        for name, compiled in (("eager start", "false"), ("compiled start, cold", "true"), ("the same, warm", "true")):
            own = [f"trainer.compile={compiled}", f"hydra.run.dir={folder}/{len(found)}"]
            found[name] = run([*short, *own], variables={"TORCHINDUCTOR_CACHE_DIR": cache}).seconds
        return found
