"""Groups as points between two figures, each with its intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, bar, dot, frame
from latentlab.report.charts.placing import LONGEST, names_beside
from latentlab.report.charts.scales import MAX_WHOLE, NumberAxis, span, typical
from latentlab.report.charts.svg import LETTER, drawing, path
from latentlab.report.statistics.intervals import Summary
from latentlab.report.statistics.measures import compact

MAX_NAMED = 8


@final
@dataclass(frozen=True)
class Point:
    """A group's two figures over its seeds; both have a mean."""

    series: Series
    x: Summary
    y: Summary


def scatter(points: Sequence[Point], x_name: str, y_name: str, elbo: bool = False) -> Markup:
    """Points between two figures. elbo: with the line on which the sum of both equals the least one found."""
    xs, ys = [point.x.mean or 0.0 for point in points], [point.y.mean or 0.0 for point in points]
    x, y = _axis(xs, LEFT, RIGHT, elbo), _axis(ys, BOTTOM, TOP, elbo)
    marks = [frame(y_name, x, y, x_name)]
    if elbo:
        marks.append(_least_sum(min(a + b for a, b in zip(xs, ys, strict=True)), x, y))
    ordered = sorted(points, key=lambda point: point.series.colour is not None)
    marks += [_drawn(point, x, y) for point in ordered]
    if len(points) <= MAX_NAMED and max(LETTER * len(point.series.name) for point in points) <= LONGEST:
        marks += names_beside(
            [(x.pixel(a), y.pixel(b), point.series.name) for a, b, point in zip(xs, ys, points, strict=True)]
        )
    return drawing(WIDTH, HEIGHT, f"{y_name} against {x_name}, {len(points)} groups", *marks)


def _axis(values: Sequence[float], start: float, end: float, elbo: bool) -> NumberAxis:
    """Of many points without the few far ones that would crowd the others."""
    shown = typical(values) if len(values) > MAX_WHOLE else values
    return span(shown, start, end, log=False if elbo else None)


def _drawn(point: Point, x: NumberAxis, y: NumberAxis) -> Markup:
    assert point.x.mean is not None
    assert point.y.mean is not None
    across, up = x.inner_pixel(point.x.mean), y.inner_pixel(point.y.mean)
    marks = []
    if point.y.drawn is not None and point.series.colour is not None:
        low, high = (y.inner_pixel(value) for value in point.y.drawn)
        marks.append(bar(across, low, high, f"interval {point.series.class_}"))
    title = f"{point.series.name}: {compact(point.x.mean)}, {compact(point.y.mean)}"
    marks.append(dot(across, up, f"dot {point.series.class_}", title))
    return Markup("").join(marks)


def _least_sum(total: float, x: NumberAxis, y: NumberAxis) -> Markup:
    """The line of equal sums, where it lies within the axes."""
    ends = [(value, total - value) for value in (max(x.low, total - y.high), min(x.high, total - y.low))]
    if ends[0][0] >= ends[1][0]:
        return Markup("")
    return path([(x.pixel(a), y.pixel(b)) for a, b in ends], "guide", f"the best ELBO, {compact(-total)}")
