"""A metric against the settings that were varied: one key as lines, two as a heat map, more as parallel axes."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Result, chart, dot, interval
from latentlab.report.charts.parallel import MAX_AXES, SHADES, Strand, parallel, shades
from latentlab.report.charts.scales import MAX_WHOLE, is_continuous, name_axis, setting_axis, span, typical
from latentlab.report.charts.svg import LETTER, box, clipped, drawing, path, words
from latentlab.report.reading.groups import ABSENT, Grouping
from latentlab.report.statistics.measures import Measure, compact, counted
from latentlab.runs.identity import canonical

MAX_CELLS_PER_SIDE = 24
MIN_FILLED = 0.3
MAX_QUALITIES, MAX_KEYS = 2, 6  # of a search: metrics, and keys that they are drawn against
GRID_TOP = 46.0

Metrics = Sequence[tuple[Measure, Sequence[Result]]]


def effect_charts(metrics: Metrics, grouping: Grouping) -> tuple[list[Markup], bool]:
    """Charts of the metrics against the varied keys, and whether each chart shows one key instead of all keys.

    metrics: each with the groups that have it. Where several keys vary and one of them takes random values, as in a
    search, only the first metrics of which lower or higher is better are drawn, against one key at a time.
    """
    settings = [_settings(results, key) for _, results in metrics for key in grouping.keys]
    is_drawn_at_random = len(grouping.keys) > 1 and any(map(is_continuous, settings))
    if is_drawn_at_random:
        metrics = [metric for metric in metrics if metric[0].better is not None][:MAX_QUALITIES]
    if is_drawn_at_random or len(grouping.keys) == 1:
        keys = grouping.keys[:MAX_KEYS]
        return [_one_key(*metric, key, grouping.labels[key]) for metric in metrics for key in keys], True
    return [_all_keys(*metric, grouping) for metric in metrics], False


def _all_keys(measure: Measure, results: Sequence[Result], grouping: Grouping) -> Markup:
    sides = {key: len({canonical(value) for value in _settings(results, key)}) for key in grouping.keys}
    is_small = len(sides) == 2 and max(sides.values()) <= MAX_CELLS_PER_SIDE
    if is_small and len(results) >= MIN_FILLED * prod(sides.values()):
        return _heat_map(measure, results, grouping, sides)
    keys = grouping.keys[:MAX_AXES]
    numbers = {group.name: number for number, group in enumerate(grouping.groups)}
    strands = [
        Strand([_setting(own, key) for key in keys], own.mean, _described(own), f"group {numbers[own.series.name]}")
        for own in results
    ]
    return parallel(measure.headline, {key: grouping.labels[key] for key in keys}, measure, strands, "groups")


def _one_key(measure: Measure, results: Sequence[Result], key: str, label: str) -> Markup:
    is_scattered = is_continuous(_settings(results, key))
    x = setting_axis(_settings(results, key), LEFT + 8, RIGHT - 8)
    results = [own for own in results if x.has(_setting(own, key))]
    ends = [end for own in results for end in own.entry.drawn or ()]
    values = [*ends, *(own.mean for own in results)]
    y = span(typical(values) if len(results) > MAX_WHOLE else values, BOTTOM, TOP)
    placed = sorted(((x.pixel(_setting(own, key)), own) for own in results), key=lambda pair: pair[0])
    marks = []
    if not x.names and not is_scattered and len({pixel for pixel, _ in placed}) == len(placed):
        marks.append(path([(pixel, y.inner_pixel(own.mean)) for pixel, own in placed], "joined"))
    for pixel, own in sorted(placed, key=lambda pair: pair[1].series.colour is not None):
        marks.append(interval(pixel, own, y))
        marks.append(dot(pixel, y.inner_pixel(own.mean), f"dot {own.series.class_}", _described(own)))
    return chart(f"{measure.label} against {label}, {len(results)} groups", measure.headline, x, y, label, *marks)


def _heat_map(measure: Measure, results: Sequence[Result], grouping: Grouping, sides: Mapping[str, int]) -> Markup:
    """sides: {key: number of its values}, of two keys; the key with fewer values is drawn downwards."""
    down, across = sorted(sides, key=lambda key: sides[key])
    high = 30.0 if sides[down] <= 8 else 20.0
    down_name, across_name = grouping.labels[down], grouping.labels[across]
    rows = name_axis(_settings(results, down), GRID_TOP, GRID_TOP + high * sides[down])
    left = 12 + min(110.0, 6.0 * max(len(text) for text in [*rows.names.values(), down_name]))
    width, height = max(WIDTH, left + 30.0 * sides[across]), rows.numbers.end + 40
    columns = name_axis(_settings(results, across), left, width - 6)
    wide = (width - 6 - left) / sides[across]
    shade = shades([own.mean for own in results], measure.better)
    is_numbered = all(LETTER * len(f"{own.mean:.3g}") < wide for own in results)
    marks = [
        _shade_key(measure, results, width),
        words(6, 14, measure.headline, "title"),
        words(6, 34, clipped(down_name, left), "name"),
        *(words(left - 6, y + 4, clipped(text, left - 8), "tick", "end") for y, text in rows.ticks()),
        *(words(x, height - 26, clipped(text, wide), "tick", "middle") for x, text in columns.ticks()),
    ]
    for own in results:
        x, y, step = columns.pixel(_setting(own, across)), rows.pixel(_setting(own, down)), shade(own.mean)
        marks.append(box(x - wide / 2, y - high / 2, wide - 1, high - 1, f"q{step}", _described(own)))
        ink = "ink light" if step > SHADES // 2 else "ink"
        marks.append(words(x, y + 4, f"{own.mean:.3g}" if is_numbered else "", ink, "middle"))
    marks.append(words((left + width) / 2, height - 8, across_name, "name", "middle"))
    label = f"{measure.label} by {down_name} and {across_name}"
    return drawing(width, height, label, *marks)


def _shade_key(measure: Measure, results: Sequence[Result], width: float) -> Markup:
    """The shades from the least to the largest mean."""
    low, high = (compact(end(own.mean for own in results)) for end in (min, max))
    order = range(SHADES)[::-1] if measure.better == "lower" else range(SHADES)
    right = width - 8 - LETTER * len(high)
    left = right - 13.0 * SHADES
    marks = [words(left - 5, 34, low, "tick", "end"), words(right + 4, 34, high, "tick")]
    return Markup("").join([*marks, *(box(left + 13 * k, 26, 13, 9, f"q{step}") for k, step in enumerate(order))])


def _settings(results: Sequence[Result], key: str) -> list[Any]:
    return [_setting(own, key) for own in results]


def _setting(result: Result, key: str) -> Any:
    return result.series.group.settings.get(key, ABSENT)


def _described(result: Result) -> str:
    half = f" ± {compact(result.entry.half)}" if result.entry.half is not None else ""
    return f"{result.series.name}: {compact(result.mean)}{half}, {counted(result.entry.n, 'seed')}"
