"""The frame of a chart: ticks, grid lines and the names of its axes; bars and dots."""

from dataclasses import dataclass
from typing import final

from markupsafe import Markup

from latentlab.report.charts.scales import NumberAxis, SettingAxis
from latentlab.report.charts.svg import clipped, line, tag, words

WIDTH, HEIGHT = 360.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 348.0, 26.0, 190.0


@final
@dataclass(frozen=True)
class Series:
    """A group in a chart: its name, and the number of its colour; None for grey."""

    name: str
    colour: int | None

    @property
    def class_(self) -> str:
        return "other" if self.colour is None else f"s{self.colour}"


def frame(title: str, x: NumberAxis | SettingAxis, y: NumberAxis, x_name: str) -> Markup:
    """Everything but the data of a chart of the usual size."""
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
    return Markup("").join(marks)


def bar(x: float, low: float, high: float, class_: str) -> Markup:
    """An upright interval with caps."""
    return tag(
        "path", d=f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6", class_=class_
    )


def dot(x: float, y: float, class_: str, title: str, radius: float = 4) -> Markup:
    """A point with a title, which the browser shows on hovering."""
    return tag("circle", tag("title", title), cx=x, cy=y, r=radius, class_=class_)
