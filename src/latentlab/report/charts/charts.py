"""Which charts a page has, and the colour that a group has in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from markupsafe import Markup

from latentlab.report.charts.axes import Series
from latentlab.report.charts.curves import curve_chart, curve_names
from latentlab.report.charts.effects import Result, are_drawn_at_random, effect_chart, slices
from latentlab.report.charts.scatter import Point, scatter
from latentlab.report.comparisons import Comparison, cost
from latentlab.report.reading.groups import Group, Grouping
from latentlab.report.statistics.intervals import Summary, summary
from latentlab.report.statistics.measures import COSTS, MINUS, Measure

MAX_COLOURS = 12
MAX_QUALITIES = 2  # against each cost, and each key of a search
By = Literal["key", "keys"]


@final
@dataclass(frozen=True)
class Charts:
    """The charts of each section of the page; none where there is nothing to draw.

    effects_by: "key" where a chart shows one key, "keys" where it shows them all.
    """

    curves: tuple[Markup, ...]
    effects: tuple[Markup, ...]
    effects_by: By
    rate_distortion: tuple[Markup, ...]
    costs: tuple[Markup, ...]


def ranking(groups: Sequence[Group], comparisons: Sequence[Comparison], is_search: bool) -> list[int]:
    """Indices of the groups, the best mean of the first figure with a better first; those without it last.

    The groups of a search keep their order, which is the search's own.
    """
    first = next((entry for entry in comparisons if entry.measure.better is not None), None)
    indices = list(range(len(groups)))
    if first is None or is_search:
        return indices
    sign = 1 if first.measure.better == "lower" else -1
    means = [entry.mean for entry in first.summaries]
    return sorted(indices, key=lambda index: (means[index] is None, sign * (means[index] or 0.0), index))


def colours(groups: Sequence[Group], ranked: Sequence[int]) -> list[Series]:
    """A colour for each group, or for the best of many; the rest is grey."""
    coloured = sorted(ranked[:MAX_COLOURS])
    return [
        Series(group.name, coloured.index(index) if index in coloured else None) for index, group in enumerate(groups)
    ]


def draw(grouping: Grouping, comparisons: Sequence[Comparison], series: Sequence[Series]) -> Charts:
    """All charts of the page."""
    groups = grouping.groups
    main = [entry for entry in comparisons if entry.is_of_yardstick]
    paired = list(zip(groups, series, strict=True))
    return Charts(
        tuple(curve_chart(name, paired) for name in curve_names(groups)),
        *_effects(grouping, main, series),
        tuple(_rate_distortion(groups, comparisons, series)),
        tuple(_costs(groups, main, series)),
    )


def _effects(grouping: Grouping, main: Sequence[Comparison], series: Sequence[Series]) -> tuple[tuple[Markup, ...], By]:
    drawn = _results(grouping, main, series) if grouping.keys else []
    if any(are_drawn_at_random(results, grouping) for _, results in drawn):
        qualities = [own for own in drawn if own[0].better is not None][:MAX_QUALITIES]
        return tuple(chart for own in qualities for chart in slices(*own, grouping)), "key"
    return tuple(effect_chart(*own, grouping) for own in drawn), "key" if len(grouping.keys) == 1 else "keys"


def _results(
    grouping: Grouping, main: Sequence[Comparison], series: Sequence[Series]
) -> list[tuple[Measure, list[Result]]]:
    """Of each figure the groups that have it, where there are several."""
    found = []
    for entry in main:
        results = [
            Result(group, own, found)
            for group, own, found in zip(grouping.groups, series, entry.summaries, strict=True)
            if found.mean is not None
        ]
        if len(results) > 1:
            found.append((entry.measure, results))
    return found


def _rate_distortion(
    groups: Sequence[Group], comparisons: Sequence[Comparison], series: Sequence[Series]
) -> list[Markup]:
    by_name = {entry.measure.key: entry.summaries for entry in comparisons}
    if "test/rate" in by_name and "test/distortion" in by_name:
        rates, distortions = by_name["test/rate"], by_name["test/distortion"]
    elif "test/kl" in by_name and "test/elbo" in by_name:
        rates, distortions = by_name["test/kl"], tuple(summary(_distortion(group)) for group in groups)
    else:
        return []
    points = _points(series, rates, distortions)
    names = ("rate: KL (nats per image)", f"distortion: {MINUS}log p(x|z) (nats per image)")
    return [scatter(points, *names, elbo=True)] if points else []


def _distortion(group: Group) -> list[float]:
    """-ELBO - KL, by seed."""
    kl, elbo = group.values("test/kl"), group.values("test/elbo")
    return [-elbo[seed] - kl[seed] for seed in kl if seed in elbo]


def _costs(groups: Sequence[Group], main: Sequence[Comparison], series: Sequence[Series]) -> list[Markup]:
    charts = []
    for entry in [entry for entry in main if entry.measure.better is not None][:MAX_QUALITIES]:
        for name, known in COSTS.items():
            points = _points(series, cost(name, groups), entry.summaries)
            label = f"{known.label} ({known.unit})" if known.unit else known.label
            if len(points) > 1 and not (name == "parameters" and len({point.x.mean for point in points}) == 1):
                charts.append(scatter(points, label, entry.measure.label))
    return charts


def _points(series: Sequence[Series], xs: Sequence[Summary], ys: Sequence[Summary]) -> list[Point]:
    both = zip(series, xs, ys, strict=True)
    return [Point(own, x, y) for own, x, y in both if x.mean is not None and y.mean is not None]
