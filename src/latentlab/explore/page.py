"""The document of one reader: the panels of a run, and links to the other runs."""

from collections.abc import Callable, Iterator
from functools import partial

from bokeh.document import Document
from bokeh.layouts import column
from bokeh.models.layouts import Column

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.between import BetweenPanel
from latentlab.explore.panels.draw import DrawPanel
from latentlab.explore.panels.label import LabelPanel
from latentlab.explore.panels.plane import PlanePanel
from latentlab.explore.panels.side_by_side import SideBySidePanel
from latentlab.explore.panels.units import UnitsPanel
from latentlab.explore.template import set_template
from latentlab.explore.walk import Walk

Panel = PlanePanel | UnitsPanel | LabelPanel | DrawPanel | BetweenPanel | SideBySidePanel
Missing = Iterator[tuple[Column, Callable[[], Panel]]]


def fill(document: Document, spaces: list[LatentSpace]) -> None:
    """Put the panels of a run into the document of one reader, whose walk disturbs no other's.

    The run is the one whose number the address has, as in `?run=1`, or else the first. Its plane is there at once; the
    other panels follow one by one as soon as the browser shows it, so that nobody waits for what is further down.
    """
    number = _number(document, len(spaces))
    walk = Walk(spaces[number], seed=0)
    panels = _panels(walk, spaces)
    places = {name: column(name=f"{name}_panel", sizing_mode="stretch_width") for name in panels}
    missing = iter([(places[name], make) for name, make in panels.items()])
    _add(*next(missing))
    for place in places.values():
        document.add_root(place)
    set_template(document, spaces, list(panels), live=True, number=number)
    document.on_event("document_ready", lambda event: _add_others(document, missing))


def _panels(walk: Walk, spaces: list[LatentSpace]) -> dict[str, Callable[[], Panel]]:
    """What makes each panel, in the order of the page."""
    panels: dict[str, Callable[[], Panel]] = {"plane": partial(PlanePanel, walk), "units": partial(UnitsPanel, walk)}
    if walk.space.labels:
        panels["label"] = partial(LabelPanel, walk)
    panels |= {"draw": partial(DrawPanel, walk), "between": partial(BetweenPanel, walk)}
    if len(spaces) > 1:
        panels["side_by_side"] = partial(SideBySidePanel, walk, spaces)
    return panels


def _add(place: Column, make: Callable[[], Panel]) -> None:
    place.children = [make().layout]


def _add_others(document: Document, missing: Missing) -> None:
    """Add the next panel now and the others in later ticks, between which the reader's events are answered."""
    if (following := next(missing, None)) is not None:
        document.add_next_tick_callback(partial(_add_others, document, missing))  # also where this one fails
        _add(*following)


def _number(document: Document, count: int) -> int:
    context = document.session_context
    given = context.request.arguments.get("run", [b""])[0] if context and context.request else b""
    number = int(given) if given.isdigit() and len(given) < 4 else 0
    return number if number < count else 0
