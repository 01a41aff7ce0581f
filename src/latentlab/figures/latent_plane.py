"""Codes in the plane, coloured by label."""

from collections.abc import Sequence
from itertools import combinations

import torch
from jaxtyping import Float, Int
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from latentlab.figures.ridges import ridges
from latentlab.figures.style import (
    BLUE,
    SMALL_SIZE,
    TEN_COLOURS,
    TEN_MARKERS,
    TEXT_SIZE,
    class_colours,
    names_or_numbers,
    new_figure,
    plain_axes,
)

OPACITY = 0.75
LEAST_DISTANCE = 0.06  # of two classes' names, as a share of the plane
ROUNDS = 20  # of moving names apart; few names need more than two


def latent_plane(
    z: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    class_names: Sequence[str] | None,
    title: str,
    subtitle: str,
    units: tuple[str, str] = ("code unit 0", "code unit 1"),
) -> Figure:
    """Codes z, (N, D), N >= 1, by label y, (N,), -1 without labels; `units` are the axis titles of a plane.

    D = 2: a scatter plot of the codes. D > 2: of their first two principal components, with the fraction of the
    variance that each explains. D = 1: one histogram per label. Up to ten classes have a colour and a marker each,
    more have steps of one colour scale.
    """
    z, y = z.detach().double().cpu(), y.detach().cpu()
    names = names_or_numbers(class_names, int(y.max()) + 1)
    if z.shape[1] == 1:
        return ridges(z[:, 0], y, names, title, subtitle)
    figure = new_figure(6.4, 5.4, title, subtitle)
    axes = figure.add_subplot()
    points, (across, up) = _plane(z, units)
    axes.set(xlabel=across, ylabel=up)
    axes.set_aspect("equal", adjustable="datalim")
    plain_axes(axes)
    if not names:
        _dots(axes, points, BLUE, "o")
    elif len(names) <= len(TEN_COLOURS):
        _few_classes(axes, points, y, names)
    else:
        _many_classes(figure, axes, points, y, names)
    return figure


def principal_plane(z: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n 2"], Float[Tensor, " 2"]]:
    """The codes' first two principal components, (N, 2), and their fractions of the variance, (2,); D >= 2."""
    axes, fractions = principal_axes(z)
    return (z - z.mean(0)) @ axes, fractions


def principal_axes(z: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "d 2"], Float[Tensor, " 2"]]:
    """The directions of the codes' first two principal components, (D, 2), and their fractions of the variance, (2,).

    Each component's largest loading is positive, so that pictures of consecutive epochs have the same orientation.
    """
    centred = z - z.mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(z))
    first_two = axes[:, [-1, -2]]
    largest = first_two.abs().argmax(0, keepdim=True)
    fractions = variances[[-1, -2]].clamp_min(0) / variances.sum().clamp_min(torch.finfo(z.dtype).tiny)
    return first_two * first_two.gather(0, largest).sign(), fractions


def _plane(z: Float[Tensor, "n d"], units: tuple[str, str]) -> tuple[Float[Tensor, "n 2"], Sequence[str]]:
    if z.shape[1] == 2:
        return z, units
    points, fractions = principal_plane(z)
    percent = [f"{100 * fraction:.1f} % of the variance of {z.shape[1]} code units" for fraction in fractions.tolist()]
    return points, [f"principal component {i + 1} ({text})" for i, text in enumerate(percent)]


def _dots(axes: Axes, points: Float[Tensor, "n 2"], colour: str, marker: str) -> None:
    across, up = points.T.numpy()
    axes.plot(across, up, marker, color=colour, markersize=3, alpha=OPACITY, markeredgewidth=0, clip_on=False)


def _few_classes(axes: Axes, points: Float[Tensor, "n 2"], y: Int[Tensor, " n"], names: list[str]) -> None:
    handles = []
    for index, name in enumerate(names):
        colour, marker = TEN_COLOURS[index], TEN_MARKERS[index]
        _dots(axes, points[y == index], colour, marker)
        handles.append(Line2D([], [], linestyle="", markersize=5, label=name, color=colour, marker=marker))
    _name_near_median(axes, points, y, names, TEXT_SIZE + 2)
    axes.legend(
        handles=handles,
        title="label",
        fontsize=TEXT_SIZE,
        title_fontsize=TEXT_SIZE,
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        frameon=False,
    )


def _many_classes(
    figure: Figure, axes: Axes, points: Float[Tensor, "n 2"], y: Int[Tensor, " n"], names: list[str]
) -> None:
    colours, norm = class_colours(len(names))
    across, up = points.T.numpy()
    axes.scatter(across, up, s=7, c=y.numpy(), cmap=colours, norm=norm, alpha=OPACITY, linewidths=0, clip_on=False)
    _name_near_median(axes, points, y, names, SMALL_SIZE + 1)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, ticks=range(len(names)), fraction=0.04)
    bar.set_label("label", fontsize=TEXT_SIZE)
    bar.ax.set_yticklabels(names, fontsize=min(SMALL_SIZE, 300 / len(names)))
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()


def _name_near_median(
    axes: Axes, points: Float[Tensor, "n 2"], y: Int[Tensor, " n"], names: list[str], size: float
) -> None:
    halo: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    shown = [index for index in range(len(names)) if bool((y == index).any())]
    medians = torch.stack([points[y == index].median(0).values for index in shown])
    span = float((points.amax(0) - points.amin(0)).max())
    for index, (across, up) in zip(shown, moved_apart(medians, LEAST_DISTANCE * span).tolist(), strict=True):
        text = axes.text(across, up, names[index], size=size, weight="bold", ha="center", va="center", zorder=5)
        text.set_path_effects(halo)


def moved_apart(places: Float[Tensor, "n 2"], least: float) -> Float[Tensor, "n 2"]:
    """The places, those moved that are nearer to each other than `least`, each pair along the line between them."""
    places = places.clone()
    for _ in range(ROUNDS):
        before = places.clone()
        for one, other in combinations(range(len(places)), 2):
            between = places[other] - places[one]
            distance = float(between.norm())
            if distance < least:
                way = between / distance if distance > 0 else torch.tensor([1.0, 0.0], dtype=places.dtype)
                places[one] -= way * (least - distance) / 2
                places[other] += way * (least - distance) / 2
        if torch.equal(places, before):
            break
    return places
