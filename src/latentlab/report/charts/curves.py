"""Learning curves: the mean over seeds by epoch, with its interval, one chart per figure."""

from collections.abc import Sequence

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, dot, frame
from latentlab.report.charts.scales import NumberAxis, counts, span, typical
from latentlab.report.charts.svg import drawing, path, tag
from latentlab.report.reading.groups import Group, mean_by_seed
from latentlab.report.statistics.intervals import Summary, summary

MAX_POINTS, MAX_POINTS_OF_GREY = 150, 40
MAX_GREY = 100

Means = list[tuple[float, Summary]]


def curve_names(groups: Sequence[Group]) -> list[str]:
    """The figures with a curve, those of validation first, in the order of the yardstick."""
    first = ("val/objective", "val/mse", "val/bce", "val/kl", "val/elbo", "val/reconstruction", "train/objective")
    found = {name for group in groups for record in group.records for name in record.curves}
    return [name for name in first if name in found]


def curve_chart(name: str, groups: Sequence[tuple[Group, Series]]) -> Markup:
    """Mean and 95 % interval over seeds by epoch; grey groups below coloured ones."""
    grey = [(group, series) for group, series in groups if series.colour is None][:MAX_GREY]
    coloured = [(group, series) for group, series in groups if series.colour is not None]
    means = {series.name: _thinned(_means(group, name), series) for group, series in [*grey, *coloured]}
    shown = [found for found in means.values() if found]
    x = counts([epoch for found in shown for epoch, _ in found], LEFT, RIGHT)
    y = span(_range([means[s.name] for _, s in coloured], [means[s.name] for _, s in grey]), BOTTOM, TOP)
    lines = [_drawn(means[series.name], series, x, y) for _, series in [*grey, *coloured[::-1]] if means[series.name]]
    wide, high = RIGHT - LEFT, BOTTOM - TOP
    # an inner svg clips what is outside of it
    inner = tag("svg", *lines, x=LEFT, y=TOP, width=wide, height=high, viewBox=f"{LEFT:g} {TOP:g} {wide:g} {high:g}")
    label = f"{name} by epoch, mean over seeds of {len(shown)} groups"
    return drawing(WIDTH, HEIGHT, label, frame(name, x, y, "epoch"), inner)


def _means(group: Group, name: str) -> Means:
    by_epoch: dict[float, dict[int | str, list[float]]] = {}
    for record in group.records:
        for epoch, value in record.curves.get(name, ()):
            by_epoch.setdefault(epoch, {}).setdefault(record.seed_or_name, []).append(value)
    return [(epoch, summary([*mean_by_seed(values).values()])) for epoch, values in sorted(by_epoch.items())]


def _thinned(means: Means, series: Series) -> Means:
    """Fewer points, among them the first and the last: a chart has no more pixels."""
    most = MAX_POINTS if series.colour is not None else MAX_POINTS_OF_GREY
    every = -(-len(means) // most) if means else 1
    return [*means[:1], *means[:0:-1][::every][::-1]]


def _range(coloured: Sequence[Means], grey: Sequence[Means]) -> list[float]:
    """The coloured curves' values, and where most of the grey ones end."""
    values = typical([entry.mean for means in coloured for _, entry in means if entry.mean is not None])
    ends = sorted(means[-1][1].mean or 0.0 for means in grey if means)
    return [*values, *ends[len(ends) // 5 : len(ends) - len(ends) // 5]]


def _drawn(means: Means, series: Series, x: NumberAxis, y: NumberAxis) -> Markup:
    marks = []
    if series.colour is not None:
        marks += [_band(stretch, series, x, y) for stretch in _with_interval(means)]
    points = [(x.pixel(epoch), y.pixel(entry.mean)) for epoch, entry in means if entry.mean is not None]
    if len(points) == 1:
        marks.append(dot(*points[0], f"dot {series.class_}", series.name, radius=3))
    else:
        marks.append(path(points, f"curve {series.class_}", series.name))
    return Markup("").join(marks)


def _band(stretch: Sequence[tuple[float, float, float]], series: Series, x: NumberAxis, y: NumberAxis) -> Markup:
    upper = [(x.pixel(epoch), y.pixel(high)) for epoch, _, high in stretch]
    lower = [(x.pixel(epoch), y.pixel(low)) for epoch, low, _ in reversed(stretch)]
    return path([*upper, *lower], f"band {series.class_}")


def _with_interval(means: Means) -> list[list[tuple[float, float, float]]]:
    """(epoch, low, high) of unbroken stretches of at least two epochs."""
    stretches: list[list[tuple[float, float, float]]] = [[]]
    for epoch, entry in means:
        if entry.drawn is None:
            stretches.append([])
        else:
            stretches[-1].append((epoch, *entry.drawn))
    return [stretch for stretch in stretches if len(stretch) > 1]
