"""Learning curves: the mean over seeds by epoch, with its interval, one chart per metric."""

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT, TOP, Series, chart, dot
from latentlab.report.charts.scales import NumberAxis, counts, span, typical
from latentlab.report.charts.svg import path, tag
from latentlab.report.reading.groups import Group, mean_by_seed
from latentlab.report.statistics.intervals import Summary, summary

MAX_POINTS, MAX_POINTS_OF_GREY = 150, 40
MAX_GREY = 100

Means = list[tuple[float, Summary]]  # by epoch


def curve_names(groups: Sequence[Group]) -> list[str]:
    """The metrics with a curve, those of validation first, in the order of the yardstick."""
    first = ("val/objective", "val/mse", "val/bce", "val/kl", "val/elbo", "val/reconstruction", "train/objective")
    found = {name for group in groups for record in group.records for name in record.curves}
    return [name for name in first if name in found]


def curve_chart(name: str, series: Sequence[Series]) -> Markup:
    """Mean and 95 % interval over seeds by epoch; grey groups below coloured ones."""
    grey = [own for own in series if own.colour is None][:MAX_GREY]
    coloured = [own for own in series if own.colour is not None]
    drawn = [(own, means) for own in [*grey, *coloured[::-1]] if (means := _means(own, name))]
    x = counts([epoch for _, means in drawn for epoch, _ in means], LEFT, RIGHT)
    y = span(_range(drawn), BOTTOM, TOP)
    lines = [_curve(own, means, x, y) for own, means in drawn]
    wide, high = RIGHT - LEFT, BOTTOM - TOP
    # an inner svg clips what is outside of it
    inner = tag("svg", *lines, x=LEFT, y=TOP, width=wide, height=high, viewBox=f"{LEFT:g} {TOP:g} {wide:g} {high:g}")
    return chart(f"{name} by epoch, mean over seeds of {len(drawn)} groups", name, x, y, "epoch", inner)


def _means(series: Series, name: str) -> Means:
    """The mean by epoch, thinned to the points that a chart has room for, with the first and the last."""
    by_epoch: dict[float, list[tuple[int | str, float]]] = {}
    for record in series.group.records:
        for epoch, value in record.curves.get(name, ()):
            by_epoch.setdefault(epoch, []).append((record.seed_or_name, value))
    means = [(epoch, summary([*mean_by_seed(values).values()])) for epoch, values in sorted(by_epoch.items())]
    every = -(-len(means) // (MAX_POINTS if series.colour is not None else MAX_POINTS_OF_GREY))
    return [*means[:1], *means[:0:-1][::every][::-1]] if means else []


def _range(drawn: Sequence[tuple[Series, Means]]) -> list[float]:
    """The coloured curves' values, and where most of the grey ones end."""
    coloured = [means for series, means in drawn if series.colour is not None]
    values = typical([entry.mean for means in coloured for _, entry in means if entry.mean is not None])
    ends = sorted(means[-1][1].mean or 0.0 for series, means in drawn if series.colour is None)
    return [*values, *ends[len(ends) // 5 : len(ends) - len(ends) // 5]]


def _curve(series: Series, means: Means, x: NumberAxis, y: NumberAxis) -> Markup:
    bands = _bands(means, x, y) if series.colour is not None else []
    marks = [path(corners, f"band {series.class_}") for corners in bands]
    points = [(x.pixel(epoch), y.pixel(entry.mean)) for epoch, entry in means if entry.mean is not None]
    if len(points) == 1:
        marks.append(dot(*points[0], f"dot {series.class_}", series.name, radius=3))
    else:
        marks.append(path(points, f"curve {series.class_}", series.name))
    return Markup("").join(marks)


def _bands(means: Means, x: NumberAxis, y: NumberAxis) -> list[list[tuple[float, float]]]:
    """The corners of each unbroken stretch of at least two epochs with an interval."""
    bands = []
    for _, stretch in groupby(means, lambda point: point[1].drawn is None):
        ends = [(x.pixel(epoch), *entry.drawn) for epoch, entry in stretch if entry.drawn is not None]
        if len(ends) > 1:
            upper = [(pixel, y.pixel(high)) for pixel, _, high in ends]
            lower = [(pixel, y.pixel(low)) for pixel, low, _ in reversed(ends)]
            bands.append([*upper, *lower])
    return bands
