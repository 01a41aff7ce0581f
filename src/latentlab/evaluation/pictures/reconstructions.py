"""Test images beside their reconstructions, from the best to the worst."""

import torch
from matplotlib.figure import Figure

from latentlab.evaluation.subject import Subject
from latentlab.figures import comparison
from latentlab.losses import mse_per_image

COLUMNS, ROWS = 12, 4


@torch.no_grad()
def best_to_worst(subject: Subject) -> Figure:
    """At even distances in the order of their errors, the very best and the very worst included."""
    model, batch = subject.model, subject.test_batch
    parts = zip(batch.x.split(1_000), batch.y.split(1_000), strict=True)
    restored = torch.cat([model.reconstruct(x, y) for x, y in parts])
    errors = mse_per_image(batch.x, restored)
    places = torch.linspace(0, len(errors) - 1, min(COLUMNS * ROWS, len(errors))).round().long()
    shown = errors.argsort()[places.to(errors.device)]
    low, high = float(errors[shown[0]]), float(errors[shown[-1]])
    line = subject.caption(
        f"{len(shown)} of {len(errors):,} test images at even distances by their error per pixel, "
        f"{low:.4f} to {high:.4f}."
    )
    rows = {"input": batch.x[shown], "output": restored[shown]}
    return comparison(rows, "Reconstructions from best to worst", line, COLUMNS)
