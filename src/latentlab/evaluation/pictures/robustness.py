"""How much comes back of damaged images, as a matrix."""

from matplotlib.figure import Figure

from latentlab.evaluation.metrics.robustness import DAMAGE
from latentlab.evaluation.subject import Subject
from latentlab.figures import matrices

FIGURES = {"psnr": "PSNR (dB)", "ssim": "SSIM", "mse": "mse per pixel"}


def robustness_matrix(subject: Subject) -> Figure:
    """Kinds of damage by strength, a panel a figure."""
    found = subject.robustness
    panels = {
        heading: [
            [found[f"{name}_{kind}_{strength:g}"] for strength in strengths] for kind, strengths in DAMAGE.items()
        ]
        for name, heading in FIGURES.items()
    }
    cells = [[f"{strength:g}" for strength in strengths] for strengths in DAMAGE.values()]
    line = subject.caption(
        "Restored against clean test images. Strength: standard deviation (gaussian) or share of pixels."
    )
    kinds = [kind.replace("_", " ") for kind in DAMAGE]
    return matrices(panels, kinds, cells, [FIGURES["mse"]], "Robustness", line)
