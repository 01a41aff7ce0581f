"""One histogram per label, one above the other."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor

from latentlab.figures.style import GREY, TEXT_SIZE, class_colours, new_figure, plain_axes

BINS = 80
OVERLAP = 1.8  # height of the highest histogram, in rows


def ridges(z: Float[Tensor, " n"], y: Int[Tensor, " n"], names: list[str], title: str, subtitle: str) -> Figure:
    """Density histograms of the codes z, (N,), one per label y, (N,), on one scale; without names one of all codes."""
    rows = names or [""]
    figure = new_figure(6.4, min(1.6 + 0.32 * len(rows), 9), title, subtitle)
    axes = figure.add_subplot()
    lowest, highest = float(z.min()), float(z.max())
    edges = np.linspace(lowest, highest if highest > lowest else lowest + 1, BINS + 1)
    densities = [_density(z[y == index] if names else z, edges) for index in range(len(rows))]
    scale = OVERLAP / max(float(density.max()) for density in densities)
    colours, norm = class_colours(len(rows))
    for index, density in enumerate(densities):
        height, base = scale * density - index, -float(index)
        axes.axhline(base, color=GREY, linewidth=0.4)
        axes.stairs(height, edges, baseline=base, fill=True, alpha=0.75, color=colours(norm(index)))
        axes.stairs(height, edges, baseline=base, color="white", linewidth=0.8)
    axes.set_yticks([-float(index) for index in range(len(rows))], labels=rows)
    plain_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=min(TEXT_SIZE, 400 / len(rows)))
    axes.set_xlabel("code unit 0")
    axes.set_ylabel("label (density of its codes, on one scale)" if names else "density of the codes")
    return figure


def _density(z: Float[Tensor, " n"], edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " bins"]:
    return np.histogram(z.numpy(), edges, density=True)[0] if len(z) else np.zeros(len(edges) - 1)
