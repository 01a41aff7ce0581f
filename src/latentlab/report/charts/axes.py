"""Charts of the usual size: their frame with ticks, grid lines and names of axes, and how a group is drawn in them."""

from dataclasses import dataclass
from typing import final

from markupsafe import Markup

from latentlab.report.charts.scales import NumberAxis, SettingAxis
from latentlab.report.charts.svg import clipped, drawing, line, tag, words
from latentlab.report.reading.groups import Group
from latentlab.report.statistics.intervals import Summary

WIDTH, HEIGHT = 360.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 348.0, 26.0, 190.0


@final
@dataclass(frozen=True)
class Series:
    """A group in all charts, and the number of its colour; None for grey."""

    group: Group
    colour: int | None

    @property
    def name(self) -> str:
        return self.group.name

    @property
    def class_(self) -> str:
        return "other" if self.colour is None else f"s{self.colour}"


@final
@dataclass(frozen=True)
class Result:
    """A group, and one of its metrics over seeds, which has a mean."""

    series: Series
    entry: Summary

    @property
    def mean(self) -> float:
        assert self.entry.mean is not None
        return self.entry.mean


def chart(label: str, title: str, x: NumberAxis | SettingAxis, y: NumberAxis, x_name: str, *content: Markup) -> Markup:
    """The content within its frame. label: describes the chart for those who cannot see it; title: above the y axis."""
    across, up = x.ticks(), y.ticks()
    marks = [line(LEFT, pixel, RIGHT, pixel, "grid") for pixel, _ in up]
    marks += [words(LEFT - 6, pixel + 3.5, text, "tick", "end") for pixel, text in up]
    marks += [line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")]
    room = (RIGHT - LEFT) / max(1, len(across))
    every = 1 + int(len(across) * 14 / (RIGHT - LEFT)) if isinstance(x, SettingAxis) and x.names else 1
    for pixel, text in across[::every]:
        marks.append(line(pixel, BOTTOM, pixel, BOTTOM + 4, "axis"))
        marks.append(words(pixel, BOTTOM + 16, clipped(text, room * every + 6), "tick", "middle"))
    marks.append(words(LEFT - 44, 14, title, "title"))
    marks.append(words((LEFT + RIGHT) / 2, HEIGHT - 8, clipped(x_name, RIGHT - LEFT), "name", "middle"))
    return drawing(WIDTH, HEIGHT, label, *marks, *content)


def interval(x: float, result: Result, y: NumberAxis) -> Markup:
    """A group's interval as an upright line with caps; empty where it has too few values for one."""
    if result.entry.drawn is None:
        return Markup("")
    low, high = (y.inner_pixel(end) for end in result.entry.drawn)
    d = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6"
    return tag("path", d=d, class_=f"interval {result.series.class_}")


def dot(x: float, y: float, class_: str, title: str, radius: float = 4.0) -> Markup:
    """A point with a title, which the browser shows on hovering."""
    return tag("circle", title=title, cx=x, cy=y, r=radius, class_=class_)
