"""Time of a step relative to the bare loop, over networks, batch sizes, precisions and threads."""

import tempfile
from itertools import product

import torch

from benchmarks.processes import run
from benchmarks.results import Bar, Results

ON_CPU = {"net": ("mlp", "cnn"), "batch": (32, 128, 1024), "precision": ("32-true", "bf16-mixed"), "threads": (1, 2)}
ON_GPU = {"net": ("mlp", "cnn"), "batch": (128, 512, 1024), "precision": ("32-true", "bf16-mixed"), "threads": (2,)}
PAIRS = {("mlp", 32): 30, ("mlp", 128): 30, ("mlp", 1024): 12, ("cnn", 32): 10, ("cnn", 128): 16, ("cnn", 1024): 5}
BARS = {  # on two threads
    ("mlp", 128, "32-true"): 1.08,
    ("mlp", 1024, "32-true"): 1.04,
    ("cnn", 128, "32-true"): 1.04,
    ("cnn", 1024, "32-true"): 1.04,
}
BF16 = 0.55


def measure() -> Results:
    results = Results(
        "steps", "A step of latentlab and of the bare loop, in turn", label="cell", unit="us per step", log_scale=True
    )
    results.drawn = ("latentlab us", "bare us")
    grid = ON_GPU if torch.cuda.is_available() else ON_CPU
    for net, batch, precision, threads in product(*grid.values()):
        found = _cell(net, batch, precision, threads)
        cell = f"{net}, batch {batch}, {precision}, {threads} thread{'s' * (threads > 1)}"
        results.rows.append({"cell": cell, **found})
        if threads == 2 and (bound := BARS.get((net, batch, precision))):
            results.bars.append(Bar(f"{cell}, to the bare loop", found["ratio"], bound))
        if (net, batch, precision, threads) == ("mlp", 1024, "bf16-mixed", 2):
            results.bars.append(Bar(f"{cell}, to fp32", found["to fp32"], BF16))
    return results


def _cell(net: str, batch: int, precision: str, threads: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        pairs = PAIRS.get((net, batch), 10)
        cell = ["-m", "benchmarks.step_cell", net, str(batch), precision, str(pairs), folder]
        return run(cell, threads=threads).result()
