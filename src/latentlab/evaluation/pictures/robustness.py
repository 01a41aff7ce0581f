"""The robustness metrics as a matrix."""

from matplotlib.figure import Figure

from latentlab.evaluation.metrics.robustness import CORRUPTIONS
from latentlab.evaluation.subject import Subject
from latentlab.figures.matrices import matrices

METRICS = {"psnr_mean": "mean PSNR (dB)", "ssim": "SSIM", "mse": "MSE per pixel"}


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
