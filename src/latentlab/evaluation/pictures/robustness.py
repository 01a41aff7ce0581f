"""Corrupted images restored, and the robustness metrics as a matrix."""

import torch
from matplotlib.figure import Figure

from latentlab.evaluation.metrics.robustness import CORRUPTIONS
from latentlab.evaluation.subject import Subject
from latentlab.figures.images import comparison
from latentlab.figures.matrices import matrices
from latentlab.functional.randomness import RandomSource

METRICS = {"psnr_mean": "mean PSNR (dB)", "ssim": "SSIM", "mse": "MSE per pixel"}
COLUMNS, ROWS = 12, 3
SEED = 0
SIGMA = 0.3  # of the noise in the picture, one of those that are measured


@torch.no_grad()
def restored(subject: Subject) -> Figure:
    """The first test images, clean, with Gaussian noise that is the same in every run, and restored from it."""
    x, y = (part[: COLUMNS * ROWS] for part in (subject.test_batch.x, subject.test_batch.y))
    noisy = CORRUPTIONS["gaussian"][SIGMA](x, RandomSource(SEED, x.device))
    line = subject.caption(f"The first {len(x)} test images with Gaussian noise of standard deviation {SIGMA:g}.")
    rows = {"clean": x, "noisy": noisy, "restored": subject.model.reconstruct(noisy, y)}
    return comparison(rows, "Noise, and what is restored", line, COLUMNS)


def robustness_matrix(subject: Subject) -> Figure:
    """Kinds of corruption by strength, one panel per metric."""
    found = subject.robustness
    panels = {
        heading: [
            [found[f"{name}_{kind}_{strength:g}"] for strength in strengths] for kind, strengths in CORRUPTIONS.items()
        ]
        for name, heading in METRICS.items()
    }
    cells = [[f"{strength:g}" for strength in strengths] for strengths in CORRUPTIONS.values()]
    line = subject.caption(
        "Restored images compared with clean ones. Strength: standard deviation (gaussian) or fraction of pixels."
    )
    kinds = [kind.replace("_", " ") for kind in CORRUPTIONS]
    return matrices(panels, kinds, cells, [METRICS["mse"]], "Robustness", line)
