"""The header, sizes and colours of all pictures."""

import textwrap
from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

DPI = 150
TITLE_SIZE = 10.5  # points
TEXT_SIZE = 8.0
SMALL_SIZE = 6.5
GREY = "#5a5a5a"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
MARGIN = 0.1  # inches
CHARACTERS_PER_INCH = 15  # at the size of the subtitle

# Okabe & Ito 2008: eight colours that colour-blind readers can distinguish; and Tol's wine and indigo
TEN_COLOURS = (BLUE, "#E69F00", "#009E73", VERMILLION, "#CC79A7", "#56B4E9", "#000000", "#F0E442", "#882255", "#332288")
TEN_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", "*", ">")


def new_figure(width: float, height: float, title: str, subtitle: str) -> Figure:
    """A figure of width x height inches, and above it a bold title and a grey, wrapped subtitle."""
    lines = textwrap.wrap(escaped(subtitle), int(CHARACTERS_PER_INCH * width)) or [""]
    line, headline = 1.3 * TEXT_SIZE / 72, 1.5 * TITLE_SIZE / 72
    total = height + headline + len(lines) * line + MARGIN
    pad = MARGIN / 2
    layout = ConstrainedLayoutEngine(w_pad=pad, h_pad=pad, rect=(0, 0, 1, height / total))
    figure = Figure(figsize=(width, total), dpi=DPI, facecolor="white", layout=layout)
    left, top = MARGIN / width, 1 - MARGIN / total
    figure.text(left, top, escaped(title), size=TITLE_SIZE, weight="bold", va="top")
    figure.text(left, top - headline / total, "\n".join(lines), size=TEXT_SIZE, color=GREY, va="top")
    return figure


def escaped(text: str) -> str:
    """The text with its dollar signs escaped: what is between two of them, Matplotlib would read as mathtext."""
    return text.replace("$", r"\$")


def plain_axes(axes: Axes) -> None:
    """Remove the spines and ticks that carry no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TEXT_SIZE, color=GREY)
    axes.xaxis.label.set_fontsize(TEXT_SIZE)
    axes.yaxis.label.set_fontsize(TEXT_SIZE)


def class_colours(classes: int) -> tuple[Colormap, BoundaryNorm]:
    """A colour for each class 0..classes-1: `TEN_COLOURS`, or steps of viridis for more classes."""
    few = classes <= len(TEN_COLOURS)
    colours = ListedColormap(TEN_COLOURS[:classes]) if few else colormaps["viridis"].resampled(classes)
    return colours, BoundaryNorm([index - 0.5 for index in range(classes + 1)], classes)


def names_or_numbers(class_names: Sequence[str] | None, classes: int) -> list[str]:
    """The names of the classes, or their numbers if they have none; empty without classes."""
    return [*map(escaped, class_names)] if class_names and classes else [str(index) for index in range(classes)]
