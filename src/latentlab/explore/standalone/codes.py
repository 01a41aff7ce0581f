"""The codes of test images in the plane of every run, as one source of data, and the images that stand for the rest."""

import textwrap
from collections import Counter

from bokeh.models import CDSView, ColumnDataSource, IndexFilter
from bokeh.plotting import figure

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.plane import scatter_plot, scattered, set_axes, whole_plane
from latentlab.explore.plane import bounds
from latentlab.figures.style import TEN_COLOURS

CAPTION = 68  # characters of a line, for a narrow screen


def places_of(spaces: list[LatentSpace]) -> ColumnDataSource:
    """The places x 0, y 0 of the first run's codes, x 1, y 1 of the second's and so on, one row for each test image.

    A selection is of images, and so the same in all planes.
    """
    data: dict[str, object] = {}
    for k, space in enumerate(spaces):
        found = scattered(space, whole_plane(space).places(space.codes.z))
        data[f"x {k}"], data[f"y {k}"] = found["x"], found["y"]
        if 0 < len(space.classes) <= len(TEN_COLOURS):
            data["label"] = found["label"]
    return ColumnDataSource(data, name="codes")


def plane_plot(space: LatentSpace, k: int, codes: ColumnDataSource, shown: int, height: int = 460) -> figure:
    """The codes of the k-th run's first `shown` test images in its plane."""
    caption = textwrap.fill(space.caption(f"Codes of {shown:,} test images."), CAPTION)
    plot = scatter_plot(space, codes, caption, height, f"x {k}", f"y {k}")
    plot.renderers[0].view = CDSView(filter=IndexFilter(list(range(shown))))
    plane = whole_plane(space)
    set_axes(plot, plane, bounds(plane.places(space.codes.z)), space)
    return plot


def one_of_each_label(space: LatentSpace, count: int) -> list[int]:
    """The numbers of `count` test images, or of all if there are fewer: the first of each label, then the second."""
    seen: Counter[int] = Counter()
    order = []
    for index, label in enumerate(space.images.y.tolist()):
        order.append((seen[label], label, index))
        seen[label] += 1
    return [index for _, _, index in sorted(order)[:count]]
