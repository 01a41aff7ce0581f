"""Parallel axes: a line for each config over the values of the varied keys and the resulting metric."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from markupsafe import Markup

from latentlab.report.charts.scales import NumberAxis, SettingAxis, Ticks, setting_axis, span, typical
from latentlab.report.charts.svg import clipped, drawing, line, path, tag, words
from latentlab.report.statistics.intervals import Better
from latentlab.report.statistics.measures import Measure

SHADES = 7
MAX_AXES = 8
HIGH, TOP, BOTTOM = 246.0, 48.0, 236.0
BRUSH = "brush"  # the class of where the pointer marks values
REACH = 10.0  # around an axis, of the pointer


@final
@dataclass(frozen=True)
class Strand:
    """One config: its setting on each axis, `ABSENT` for none, its metric, and its title, shown on hovering.

    of: "group 3" or "trial 5", as the rows of tables name it. is_best: drawn above all others, in a colour of its own.
    """

    settings: Sequence[Any]
    value: float
    title: str
    of: str
    is_best: bool = False


def parallel(headline: str, names: Mapping[str, str], measure: Measure, strands: Sequence[Strand], of: str) -> Markup:
    """The chart of at least one strand. names: {key: its name at its axis}. of: "groups" or "trials", for its label."""
    width = max(900.0, 110.0 * (len(names) + 1))
    gap = (width - 120) / max(1, len(names))
    axes = [setting_axis([strand.settings[k] for strand in strands], BOTTOM, TOP) for k in range(len(names))]
    values = span(typical([strand.value for strand in strands]), BOTTOM, TOP)
    shade = shades([strand.value for strand in strands], measure.better)
    marks = [words(6, 14, headline, "title")]
    for strand in sorted(strands, key=lambda strand: (strand.is_best, shade(strand.value))):
        points = [
            (50 + gap * k, axis.pixel(own))
            for k, (axis, own) in enumerate(zip(axes, strand.settings, strict=True))
            if axis.has(own)
        ]
        points.append((50 + gap * len(names), values.inner_pixel(strand.value)))
        class_ = "strand chosen" if strand.is_best else f"strand t{shade(strand.value)}"
        marks.append(path(points, class_, strand.title, strand.of))
    named = [*names.items(), (measure.key, measure.label)]
    drawn: list[SettingAxis | NumberAxis] = [*axes, values]
    for k, ((key, name), axis) in enumerate(zip(named, drawn, strict=True)):
        marks.append(_upright(50 + gap * k, axis.ticks(), name, gap, is_first=k == 0))
        marks.append(_brushed(50 + gap * k, key, axis))
    label = f"{measure.label} against {', '.join(names.values())}, {len(strands)} {of}"
    return drawing(width, HIGH, label, *marks, class_="chart wide")


def shades(values: Sequence[float], better: Better | None) -> Callable[[float], int]:
    """Value -> 0 .. SHADES - 1, the darkest for the best, or for the largest where none is better."""
    ends = typical(values)
    axis = span(ends, 0.0, 1.0)
    low, high = (axis.pixel(end) for end in (min(ends), max(ends)))

    def shade(value: float) -> int:
        fraction = (axis.pixel(value) - low) / (high - low) if high > low else 0.5
        if better == "lower":
            fraction = 1 - fraction
        return max(0, min(SHADES - 1, int(SHADES * fraction)))

    return shade


def _upright(x: float, ticks: Ticks, name: str, room: float, is_first: bool) -> Markup:
    marks = [line(x, BOTTOM, x, TOP, "axis"), words(x, 38, clipped(name, room), "name", "middle")]
    every = 1 + len(ticks) // 14
    is_left = is_first and all(len(text) <= 8 for _, text in ticks)  # where no line crosses it
    for pixel, text in ticks[::every]:
        up = pixel + 3.5
        left, anchor = (x - 5, "end") if is_left else (x + 5, None)
        marks.append(words(left, up, clipped(text, 0.7 * room), "tick halo", anchor))
    return Markup("").join(marks)


def _brushed(x: float, key: str, axis: SettingAxis | NumberAxis) -> Markup:
    """Where dragging along the axis marks values of the key, and what the page's script needs to find these."""
    numbers = axis.numbers if isinstance(axis, SettingAxis) else axis
    scale = {"low": numbers.low, "high": numbers.high, "log": numbers.is_log, "start": BOTTOM, "end": TOP}
    names = {"names": [*axis.names.values()]} if isinstance(axis, SettingAxis) and axis.names else {}
    found = json.dumps({**scale, **names})
    left, top, width, height = x - REACH, TOP - REACH, 2 * REACH, BOTTOM - TOP + 2 * REACH
    return tag("rect", x=left, y=top, width=width, height=height, class_=BRUSH, data_key=key, data_scale=found)
