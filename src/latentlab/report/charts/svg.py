"""Markup of charts: escaped tags, text in a fixed size, colours by class, defined in the page's style."""

from collections.abc import Iterable

from markupsafe import Markup, escape

LETTER = 5.6  # mean width of a letter of the charts' text


def tag(name: str, *content: str | Markup, title: str = "", **attributes: object) -> Markup:
    """One element; `class_` and `stroke_width` become class and stroke-width, None omits an attribute.

    title: a text that the browser shows on hovering.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _short(value))
        for key, value in attributes.items()
        if value is not None
    )
    inner = [tag("title", title), *content] if title else content
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, Markup("").join(map(escape, inner)))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def words(x: float, y: float, content: str, class_: str = "", anchor: str | None = None) -> Markup:
    """Text whose baseline starts (or, by `anchor`, ends or is centred) at (x, y)."""
    return tag("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def path(points: Iterable[tuple[float, float]], class_: str, title: str = "", of: str | None = None) -> Markup:
    """A line through the points, in pixels to a tenth. of: its group or trial, for the page's filter."""
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return tag("path", title=title, d=d, class_=class_, data_of=of)


def box(x: float, y: float, width: float, height: float, class_: str, title: str = "") -> Markup:
    return tag("rect", title=title, x=x, y=y, width=width, height=height, class_=class_)


def drawing(width: float, height: float, label: str, *content: Markup, class_: str = "chart") -> Markup:
    """A whole chart; `label` describes it for those who cannot see it."""
    return tag("svg", *content, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=label, class_=class_)


def clipped(content: str, width: float) -> str:
    """The text cut to about this many pixels."""
    letters = max(1, int(width / LETTER))
    return content if len(content) <= letters else content[: max(1, letters - 1)] + "…"


def _short(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
