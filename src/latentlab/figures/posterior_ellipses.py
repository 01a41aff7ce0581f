"""Posteriors as ellipses in a plane of two units."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from latentlab.figures.style import BLUE, GREY, TEXT_SIZE, class_colours, names_or_numbers, new_figure, plain_axes


def posterior_ellipses(
    mean: Float[Tensor, "n 2"],
    deviation: Float[Tensor, "n 2"],
    y: Int[Tensor, " n"],
    class_names: Sequence[str] | None,
    units: Sequence[int],
    title: str,
    subtitle: str,
    standard_prior: bool,
) -> Figure:
    """One ellipse of one standard deviation per posterior, coloured and named by its label, -1 without labels.

    standard_prior: whether to draw the ellipse of N(0, I), dashed.
    """
    mean, deviation, y = mean.detach().cpu(), deviation.detach().cpu(), y.cpu()
    names = names_or_numbers(class_names, int(y.max()) + 1)
    colours, norm = class_colours(max(len(names), 1))
    figure = new_figure(6.0, 6.0, title, subtitle)
    axes = figure.add_subplot()
    ellipses = EllipseCollection(
        widths=2 * deviation[:, 0].numpy(),
        heights=2 * deviation[:, 1].numpy(),
        angles=np.zeros(len(mean)),
        units="xy",
        offsets=mean.numpy(),
        offset_transform=axes.transData,
        color=colours(norm(y.numpy())) if names else BLUE,
        alpha=0.35,
    )
    axes.add_collection(ellipses, autolim=False)
    for (x0, y0), label in zip(mean.tolist(), y.tolist(), strict=True) if names else ():
        axes.text(x0, y0, names[label], fontsize=TEXT_SIZE - 2, ha="center", va="center")
    if standard_prior:
        axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=GREY, linestyle="--"))
    reach = 1.05 * float((mean.abs() + deviation).max().clamp_min(1))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set(xlabel=f"code unit {units[0]}", ylabel=f"code unit {units[1]}")
    plain_axes(axes)
    return figure
