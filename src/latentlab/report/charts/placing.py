"""Names beside the points of a chart, where they cover neither each other nor a point."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT
from latentlab.report.charts.svg import LETTER, clipped, words

LONGEST = 130.0
HIGH, AROUND = 10.0, 5.0  # of a name, and of a point
HIGHEST = 16.0  # below the chart's title

Box = tuple[float, float, float, float]


def names_beside(points: Sequence[tuple[float, float, str]]) -> list[Markup]:
    """A text for each (x, y, name) that finds free room; the other names are shown on hovering alone."""
    taken = [(x - AROUND, y - AROUND, x + AROUND, y + AROUND) for x, y, _ in points]
    marks = []
    for x, y, name in points:
        text = clipped(name, LONGEST)
        positions = [(box, at) for box, at in _positions(x, y, LETTER * len(text)) if _is_inside(box)]
        free = next(((box, at) for box, at in positions if not any(_cover(box, other) for other in taken)), None)
        if free is not None:
            box, (left, base, anchor) = free
            taken.append(box)
            marks.append(words(left, base, text, "note", anchor))
    return marks


def _positions(x: float, y: float, wide: float) -> Iterator[tuple[Box, tuple[float, float, str | None]]]:
    """Right and left of the point, raised, lowered and level, then above and below it."""
    for base in (y - 5, y + 12, y + 3.5):
        yield (x + 7, base - HIGH + 2, x + 7 + wide, base + 2), (x + 7, base, None)
        yield (x - 7 - wide, base - HIGH + 2, x - 7, base + 2), (x - 7, base, "end")
    for base in (y - 9, y + 17, y - 20, y + 28):
        yield (x - wide / 2, base - HIGH + 2, x + wide / 2, base + 2), (x, base, "middle")


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT - 4 and box[2] <= RIGHT + 8 and box[1] >= HIGHEST and box[3] <= BOTTOM + 2


def _cover(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
