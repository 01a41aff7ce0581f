"""Test images and their reconstructions, in ascending order of the error."""

import torch
from matplotlib.figure import Figure

from latentlab.evaluation.subject import Subject
from latentlab.figures.images import comparison

COLUMNS, ROWS = 12, 4


@torch.no_grad()
def best_to_worst(subject: Subject) -> Figure:
    """Test images at even quantiles of their error, the best and the worst included."""
    batch, errors = subject.test_batch, subject.test_errors
    ranks = torch.linspace(0, len(errors) - 1, min(COLUMNS * ROWS, len(errors))).round().long()
    shown = errors.argsort()[ranks.to(errors.device)]
    x, y = batch.x[shown], batch.y[shown]
    low, high = float(errors[shown[0]]), float(errors[shown[-1]])
    line = subject.caption(
        f"{len(shown)} of {len(errors):,} test images, at even quantiles of their squared error per pixel, "
        f"{low:.4f} to {high:.4f}."
    )
    rows = {"input": x, "output": subject.model.reconstruct(x, y)}
    return comparison(rows, "Reconstructions from best to worst", line, COLUMNS)
