"""A figure against the settings that were varied: one key as lines, two as a heat map, more as parallel axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from markupsafe import Markup

from latentlab.comparison.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Series, bar, dot, frame
from latentlab.comparison.groups import ABSENT, Group, Grouping, canonical, shown, sorting
from latentlab.comparison.scales import Scale, setting_axis, span
from latentlab.comparison.statistics import Summary
from latentlab.comparison.svg import LETTER, clipped, drawing, line, path, tag, words
from latentlab.comparison.yardstick import Measure, compact

SHADES = 7
MOST_CELLS_A_SIDE = 24
LEAST_FILLED = 0.3
MOST_AXES = 8


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


def effect_chart(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    """The chart that fits the number of varied keys; there is at least one key and one result."""
    keys = grouping.keys
    if len(keys) == 1:
        return _one_key(measure, results, keys[0], grouping.label(keys[0]))
    if len(keys) == 2 and _is_grid(results, keys):
        return _heat_map(measure, results, grouping)
    return _parallel(measure, results, grouping)


def _one_key(measure: Measure, results: Sequence[Result], key: str, label: str) -> Markup:
    x = setting_axis([_setting(result, key) for result in results], LEFT + 8, RIGHT - 8)
    ends = [end for r in results for end in (r.entry.low, r.entry.high) if end is not None and r.entry.n > 2]
    y = span([*ends, *(result.mean for result in results)], BOTTOM, TOP)
    placed = sorted(((x.place(_setting(result, key)), result) for result in results), key=lambda pair: pair[0])
    marks = [frame(_headline(measure), x, y, label)]
    if not x.names:
        marks.append(path([(place, y.place(result.mean)) for place, result in placed], "joined"))
    for place, result in placed:
        if result.entry.low is not None and result.entry.high is not None:
            low, high = (min(max(y.place(end), TOP), BOTTOM) for end in (result.entry.low, result.entry.high))
            marks.append(bar(place, low, high, f"interval {result.series.class_}"))
        marks.append(dot(place, y.place(result.mean), f"dot {result.series.class_}", _told(result)))
    return drawing(WIDTH, HEIGHT, f"{measure.label} against {label}, {len(results)} groups", *marks)


def _is_grid(results: Sequence[Result], keys: Sequence[str]) -> bool:
    sides = [len({canonical(_setting(result, key)) for result in results}) for key in keys]
    return max(sides) <= MOST_CELLS_A_SIDE and len(results) >= LEAST_FILLED * sides[0] * sides[1]


def _heat_map(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    down, across = sorted(grouping.keys, key=lambda key: len({canonical(_setting(r, key)) for r in results}))
    rows, columns = _distinct(results, down), _distinct(results, across)
    left = 12 + min(110.0, 6.0 * max(len(_text(value)) for value in [*rows, grouping.label(down)]))
    width = max(WIDTH, left + 30.0 * len(columns))
    wide, high = (width - left - 6) / len(columns), 30.0 if len(rows) <= 8 else 20.0
    top, height = 46.0, 46.0 + high * len(rows) + 40
    shade = _shades(measure, results)
    numbered = all(LETTER * len(f"{result.mean:.3g}") < wide for result in results)
    marks = [
        _key(measure, results, width),
        words(6, 14, _headline(measure), "title"),
        words(6, 34, clipped(grouping.label(down), left), "name"),
    ]
    for place, value in enumerate(rows):
        marks.append(words(left - 6, top + high * (place + 0.5) + 4, clipped(_text(value), left - 8), "tick", "end"))
    for place, value in enumerate(columns):
        middle = left + wide * (place + 0.5)
        marks.append(words(middle, height - 26, clipped(_text(value), wide), "tick", "middle"))
    for result in results:
        row, column = _index(rows, _setting(result, down)), _index(columns, _setting(result, across))
        step = shade(result.mean)
        x, y = left + wide * column, top + high * row
        box = tag("rect", tag("title", _told(result)), x=x, y=y, width=wide - 1, height=high - 1, class_=f"q{step}")
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
    keys = grouping.keys[:MOST_AXES]
    width, height, top, bottom = max(640.0, 110.0 * (len(keys) + 1)), 260.0, 48.0, 236.0
    gap = (width - 120) / len(keys)
    axes = [setting_axis([_setting(result, key) for result in results], bottom, top) for key in keys]
    values = span([result.mean for result in results], bottom, top)
    shade = _shades(measure, results)
    marks = [words(6, 14, _headline(measure), "title")]
    for result in sorted(results, key=lambda result: shade(result.mean)):
        points = [(50 + gap * k, axes[k].place(_setting(result, key))) for k, key in enumerate(keys)]
        points.append((50 + gap * len(keys), values.place(result.mean)))
        marks.append(path(points, f"strand t{shade(result.mean)}", _told(result)))
    for k, (axis, key) in enumerate(zip(axes, keys, strict=True)):
        marks.append(_upright(50 + gap * k, axis.ticks(), axis.scale, grouping.label(key), gap))
    marks.append(_upright(50 + gap * len(keys), values.ticks(), values, measure.label, gap))
    label = f"{measure.label} against {', '.join(grouping.label(key) for key in keys)}, {len(results)} groups"
    return drawing(width, height, label, *marks, class_="chart wide")


def _upright(x: float, ticks: Sequence[tuple[float, str]], scale: Scale, name: str, room: float) -> Markup:
    marks = [line(x, scale.start, x, scale.end, "axis"), words(x, 38, clipped(name, room), "name", "middle")]
    every = 1 + len(ticks) // 14
    for value, text in ticks[::every]:
        marks.append(words(x + 5, scale.place(value) + 3.5, clipped(text, 0.7 * room), "tick halo"))
    return Markup("").join(marks)


def _shades(measure: Measure, results: Sequence[Result]) -> Callable[[float], int]:
    """Mean -> 0 .. SHADES - 1, the darkest for the best, or for the largest where none is better."""
    scale = span([result.mean for result in results], 0.0, 1.0)
    low, high = (scale.place(end(result.mean for result in results)) for end in (min, max))

    def shade(mean: float) -> int:
        share = (scale.place(mean) - low) / (high - low) if high > low else 0.5
        if measure.better == "lower":
            share = 1 - share
        return min(SHADES - 1, int(SHADES * share))

    return shade


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


def _told(result: Result) -> str:
    half = f" ± {compact(result.entry.half)}" if result.entry.half is not None else ""
    return f"{result.series.name}: {compact(result.mean)}{half}, {result.entry.n} seed{'s' * (result.entry.n != 1)}"
