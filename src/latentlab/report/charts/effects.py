"""A figure against the settings that were varied: one key as lines, two as a heat map, more as parallel axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, bar, dot, frame
from latentlab.report.charts.parallel import MAX_AXES, SHADES, Strand, is_absent, parallel, shades
from latentlab.report.charts.scales import MAX_WHOLE, is_continuous, setting_axis, span, typical
from latentlab.report.charts.svg import LETTER, clipped, drawing, path, tag, words
from latentlab.report.reading.groups import ABSENT, Group, Grouping, shown, sorting
from latentlab.report.statistics.intervals import Summary
from latentlab.report.statistics.measures import Measure, compact
from latentlab.runs.identity import canonical

MAX_CELLS_PER_SIDE = 24
MIN_FILLED = 0.3
MAX_SLICES = 6


@final
@dataclass(frozen=True)
class Result:
    """A group, how it is drawn, and its figure over seeds, which has a mean."""

    group: Group
    series: Series
    entry: Summary

    @property
    def mean(self) -> float:
        assert self.entry.mean is not None
        return self.entry.mean


def are_drawn_at_random(results: Sequence[Result], grouping: Grouping) -> bool:
    """Whether several keys vary and one takes values as a search draws them, not as a grid does."""
    several = len(grouping.keys) > 1
    return several and any(is_continuous([_setting(result, key) for result in results]) for key in grouping.keys)


def slices(measure: Measure, results: Sequence[Result], grouping: Grouping) -> list[Markup]:
    """One chart per key, of the figure against that key."""
    return [_one_key(measure, results, key, grouping.label(key)) for key in grouping.keys[:MAX_SLICES]]


def effect_chart(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    """The chart that fits the number of varied keys; there is at least one key and one result."""
    keys = grouping.keys
    if len(keys) == 1:
        return _one_key(measure, results, keys[0], grouping.label(keys[0]))
    if len(keys) == 2 and _is_grid(results, keys):
        return _heat_map(measure, results, grouping)
    return _parallel(measure, results, grouping)


def _one_key(measure: Measure, results: Sequence[Result], key: str, label: str) -> Markup:
    scattered = is_continuous([_setting(result, key) for result in results])
    if scattered:
        results = [result for result in results if not is_absent(_setting(result, key))]
    x = setting_axis([_setting(result, key) for result in results], LEFT + 8, RIGHT - 8)
    ends = [end for result in results for end in result.entry.drawn or ()]
    values = [*ends, *(result.mean for result in results)]
    y = span(typical(values) if len(results) > MAX_WHOLE else values, BOTTOM, TOP)
    pixels = sorted(((x.pixel(_setting(result, key)), result) for result in results), key=lambda pair: pair[0])
    marks = [frame(_headline(measure), x, y, label)]
    if not x.names and not scattered and len({pixel for pixel, _ in pixels}) == len(pixels):
        marks.append(path([(pixel, y.inner_pixel(result.mean)) for pixel, result in pixels], "joined"))
    for pixel, result in sorted(pixels, key=lambda pair: pair[1].series.colour is not None):
        if result.entry.drawn is not None:
            low, high = (y.inner_pixel(end) for end in result.entry.drawn)
            marks.append(bar(pixel, low, high, f"interval {result.series.class_}"))
        marks.append(dot(pixel, y.inner_pixel(result.mean), f"dot {result.series.class_}", _described(result)))
    return drawing(WIDTH, HEIGHT, f"{measure.label} against {label}, {len(results)} groups", *marks)


def _is_grid(results: Sequence[Result], keys: Sequence[str]) -> bool:
    sides = [len({canonical(_setting(result, key)) for result in results}) for key in keys]
    return max(sides) <= MAX_CELLS_PER_SIDE and len(results) >= MIN_FILLED * sides[0] * sides[1]


def _heat_map(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    down, across = sorted(grouping.keys, key=lambda key: len({canonical(_setting(r, key)) for r in results}))
    rows, columns = _distinct(results, down), _distinct(results, across)
    left = 12 + min(110.0, 6.0 * max(len(_text(value)) for value in [*rows, grouping.label(down)]))
    width = max(WIDTH, left + 30.0 * len(columns))
    wide, high = (width - left - 6) / len(columns), 30.0 if len(rows) <= 8 else 20.0
    top, height = 46.0, 46.0 + high * len(rows) + 40
    shade = shades([result.mean for result in results], measure.better)
    numbered = all(LETTER * len(f"{result.mean:.3g}") < wide for result in results)
    marks = [
        _key(measure, results, width),
        words(6, 14, _headline(measure), "title"),
        words(6, 34, clipped(grouping.label(down), left), "name"),
    ]
    for index, value in enumerate(rows):
        marks.append(words(left - 6, top + high * (index + 0.5) + 4, clipped(_text(value), left - 8), "tick", "end"))
    for index, value in enumerate(columns):
        middle = left + wide * (index + 0.5)
        marks.append(words(middle, height - 26, clipped(_text(value), wide), "tick", "middle"))
    for result in results:
        row, column = _index(rows, _setting(result, down)), _index(columns, _setting(result, across))
        step = shade(result.mean)
        x, y = left + wide * column, top + high * row
        box = tag(
            "rect", tag("title", _described(result)), x=x, y=y, width=wide - 1, height=high - 1, class_=f"q{step}"
        )
        ink = "ink light" if step >= SHADES // 2 + 1 else "ink"
        marks += [box, words(x + wide / 2, y + high / 2 + 4, f"{result.mean:.3g}" if numbered else "", ink, "middle")]
    marks.append(words((left + width) / 2, height - 8, grouping.label(across), "name", "middle"))
    label = f"{measure.label} by {grouping.label(down)} and {grouping.label(across)}"
    return drawing(width, height, label, *marks)


def _key(measure: Measure, results: Sequence[Result], width: float) -> Markup:
    """The shades from the least to the largest mean."""
    low, high = (compact(end(result.mean for result in results)) for end in (min, max))
    order = range(SHADES)[::-1] if measure.better == "lower" else range(SHADES)
    right = width - 8 - LETTER * len(high)
    marks = [words(right - 13 * SHADES - 5, 34, low, "tick", "end"), words(right + 4, 34, high, "tick")]
    boxes = [
        tag("rect", x=right - 13.0 * (SHADES - k), y=26, width=13, height=9, class_=f"q{q}")
        for k, q in enumerate(order)
    ]
    return Markup("").join([*marks, *boxes])


def _parallel(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    keys = grouping.keys[:MAX_AXES]
    strands = [Strand([_setting(r, key) for key in keys], r.mean, _described(r)) for r in results]
    names = [grouping.label(key) for key in keys]
    return parallel(_headline(measure), names, measure.label, strands, measure.better, "groups")


def _distinct(results: Sequence[Result], key: str) -> list[Any]:
    found = {canonical(_setting(result, key)): _setting(result, key) for result in results}
    return sorted(found.values(), key=lambda value: sorting(None if value == ABSENT else value))


def _index(values: Sequence[Any], value: Any) -> int:
    return [canonical(other) for other in values].index(canonical(value))


def _setting(result: Result, key: str) -> Any:
    return result.group.settings.get(key, ABSENT)


def _text(value: Any) -> str:
    return ABSENT if value == ABSENT else shown(value)


def _headline(measure: Measure) -> str:
    return f"{measure.label} ({measure.unit})" if measure.unit else measure.label


def _described(result: Result) -> str:
    half = f" ± {compact(result.entry.half)}" if result.entry.half is not None else ""
    return f"{result.series.name}: {compact(result.mean)}{half}, {result.entry.n} seed{'s' * (result.entry.n != 1)}"
