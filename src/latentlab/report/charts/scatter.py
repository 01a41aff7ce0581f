"""Groups as points between two metrics, the second with its intervals."""

from collections.abc import Sequence

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT, TOP, Result, chart, dot, interval
from latentlab.report.charts.placing import LONGEST, names_beside
from latentlab.report.charts.scales import MAX_WHOLE, NumberAxis, span, typical
from latentlab.report.charts.svg import LETTER, path
from latentlab.report.statistics.measures import compact

MAX_NAMED = 8


def scatter(points: Sequence[tuple[float, Result]], x_name: str, y_name: str, elbo: bool = False) -> Markup:
    """Groups at (x, y). elbo: with the line on which the sum of both equals the least one found."""
    x = _axis([across for across, _ in points], LEFT, RIGHT, elbo)
    y = _axis([result.mean for _, result in points], BOTTOM, TOP, elbo)
    marks = [_least_sum(min(across + result.mean for across, result in points), x, y)] if elbo else []
    for across, result in sorted(points, key=lambda point: point[1].series.colour is not None):
        series, pixel = result.series, x.inner_pixel(across)
        if series.colour is not None:
            marks.append(interval(pixel, result, y))
        title = f"{series.name}: {compact(across)}, {compact(result.mean)}"
        marks.append(dot(pixel, y.inner_pixel(result.mean), f"dot {series.class_}", title))
    names = [(x.pixel(across), y.pixel(result.mean), result.series.name) for across, result in points]
    if len(names) <= MAX_NAMED and max(LETTER * len(name) for _, _, name in names) <= LONGEST:
        marks += names_beside(names)
    return chart(f"{y_name} against {x_name}, {len(points)} groups", y_name, x, y, x_name, *marks)


def _axis(values: Sequence[float], start: float, end: float, elbo: bool) -> NumberAxis:
    """Of many points without the few far ones that would crowd the others."""
    shown = typical(values) if len(values) > MAX_WHOLE else values
    return span(shown, start, end, log=False if elbo else None)


def _least_sum(total: float, x: NumberAxis, y: NumberAxis) -> Markup:
    """The line of equal sums, where it lies within the axes."""
    ends = [(value, total - value) for value in (max(x.low, total - y.high), min(x.high, total - y.low))]
    if ends[0][0] >= ends[1][0]:
        return Markup("")
    return path([(x.pixel(a), y.pixel(b)) for a, b in ends], "guide", f"the best ELBO, {compact(-total)}")
