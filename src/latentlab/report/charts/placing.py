"""Names beside the points of a chart, at positions where they cover neither each other nor a point."""

from collections.abc import Sequence

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT
from latentlab.report.charts.svg import LETTER, clipped, words

LONGEST = 130.0
HIGH, AROUND = 10.0, 5.0  # of a name, and of a point
HIGHEST = 16.0  # below the chart's title
# where a name is tried beside its point: to the right, down, the text's anchor
POSITIONS = [(right, down, anchor) for down in (-5, 12, 3.5) for right, anchor in ((7, None), (-7, "end"))]
POSITIONS += [(0, down, "middle") for down in (-9, 17, -20, 28)]
FRACTION_ON_THE_LEFT = {None: 0.0, "middle": 0.5, "end": 1.0}  # of a text, from its anchor

Box = tuple[float, float, float, float]


def names_beside(points: Sequence[tuple[float, float, str]]) -> list[Markup]:
    """A text for each (x, y, name) that has a free position; other names are shown only on hovering."""
    taken = [(x - AROUND, y - AROUND, x + AROUND, y + AROUND) for x, y, _ in points]
    marks = []
    for x, y, name in points:
        text = clipped(name, LONGEST)
        wide = LETTER * len(text)
        for right, down, anchor in POSITIONS:
            left, base = x + right - FRACTION_ON_THE_LEFT[anchor] * wide, y + down
            box = (left, base - HIGH + 2, left + wide, base + 2)
            if _is_inside(box) and not any(_cover(box, other) for other in taken):
                taken.append(box)
                marks.append(words(x + right, base, text, "note", anchor))
                break
    return marks


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT - 4 and box[2] <= RIGHT + 8 and box[1] >= HIGHEST and box[3] <= BOTTOM + 2


def _cover(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
