"""Which charts a page has, and the colour that a group has in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from markupsafe import Markup

from latentlab.report.charts.axes import Result, Series
from latentlab.report.charts.curves import curve_chart, curve_names
from latentlab.report.charts.effects import effect_charts
from latentlab.report.charts.parallel import BRUSH
from latentlab.report.charts.scatter import scatter
from latentlab.report.comparisons import Comparison
from latentlab.report.reading.groups import Group, Grouping
from latentlab.report.statistics.intervals import Summary, summary
from latentlab.report.statistics.measures import COSTS, MINUS

MAX_COLOURS = 12
MAX_QUALITIES = 2  # against each cost


@final
@dataclass(frozen=True)
class Charts:
    """The charts of each section of the page; empty where there is nothing to draw.

    is_key_by_key: whether each chart of `effects` shows one key; else each shows all keys.
    """

    curves: list[Markup]
    effects: list[Markup]
    is_key_by_key: bool
    rate_distortion: list[Markup]
    costs: list[Markup]

    @property
    def has_axes(self) -> bool:
        """Whether `effects` has parallel axes, along which values can be marked."""
        return any(f'class="{BRUSH}"' in chart for chart in self.effects)


def ranking(groups: Sequence[Group], comparisons: Sequence[Comparison], is_search: bool) -> list[int]:
    """Indices of the groups by the mean of the first metric of which lower or higher is better, the best first.

    Groups without that metric are last. The groups of a search keep their order, which is by its objective.
    """
    first = next((entry for entry in comparisons if entry.measure.better is not None), None)
    if first is None or is_search:
        return list(range(len(groups)))
    sign = 1 if first.measure.better == "lower" else -1
    means = [entry.mean for entry in first.summaries]
    return sorted(range(len(groups)), key=lambda index: (means[index] is None, sign * (means[index] or 0.0), index))


def colours(groups: Sequence[Group], ranked: Sequence[int]) -> list[Series]:
    """A colour for each group, or for the best of many; the rest is grey."""
    numbers = {index: number for number, index in enumerate(sorted(ranked[:MAX_COLOURS]))}
    return [Series(group, numbers.get(index)) for index, group in enumerate(groups)]


def draw(grouping: Grouping, comparisons: Sequence[Comparison], series: Sequence[Series]) -> Charts:
    """All charts of the page."""
    main = [entry for entry in comparisons if entry.is_of_yardstick]
    qualities = [entry for entry in main if entry.measure.better is not None][:MAX_QUALITIES]
    metrics = [(entry.measure, _results(series, entry.summaries)) for entry in main if grouping.keys]
    effects, is_key_by_key = effect_charts([own for own in metrics if len(own[1]) > 1], grouping)
    return Charts(
        [curve_chart(name, series) for name in curve_names(grouping.groups)],
        effects,
        is_key_by_key,
        _rate_distortion(comparisons, series),
        [chart for entry in qualities for chart in _costs(entry, series)],
    )


def _rate_distortion(comparisons: Sequence[Comparison], series: Sequence[Series]) -> list[Markup]:
    by_name = {entry.measure.key: entry.summaries for entry in comparisons}
    if "test/rate" in by_name and "test/distortion" in by_name:
        rates, distortions = by_name["test/rate"], by_name["test/distortion"]
    elif "test/kl" in by_name and "test/elbo" in by_name:
        rates, distortions = by_name["test/kl"], tuple(summary(_distortion(own.group)) for own in series)
    else:
        return []
    points = _points(series, rates, distortions)
    names = ("rate: KL (nats per image)", f"distortion: {MINUS}log p(x|z) (nats per image)")
    return [scatter(points, *names, elbo=True)] if points else []


def _distortion(group: Group) -> list[float]:
    """-ELBO - KL of each seed, in nats per image."""
    kl, elbo = group.values("test/kl"), group.values("test/elbo")
    return [-elbo[seed] - kl[seed] for seed in kl if seed in elbo]


def _costs(quality: Comparison, series: Sequence[Series]) -> list[Markup]:
    """One metric against each cost."""
    charts = []
    for name, known in COSTS.items():
        costs = [summary([*own.group.values(name).values()]) for own in series]
        points = _points(series, costs, quality.summaries)
        if len(points) > 1 and not (name == "parameters" and len({cost for cost, _ in points}) == 1):
            charts.append(scatter(points, known.headline, quality.measure.label))
    return charts


def _results(series: Sequence[Series], summaries: Sequence[Summary]) -> list[Result]:
    """The groups that have a mean."""
    return [Result(own, entry) for own, entry in zip(series, summaries, strict=True) if entry.mean is not None]


def _points(series: Sequence[Series], xs: Sequence[Summary], ys: Sequence[Summary]) -> list[tuple[float, Result]]:
    """(x, result) of the groups that have both means."""
    both = zip(series, xs, ys, strict=True)
    return [(x.mean, Result(own, y)) for own, x, y in both if x.mean is not None and y.mean is not None]
