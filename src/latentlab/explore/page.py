"""The document of one reader: the panels of a run, and links to the other runs."""

from bokeh.document import Document
from bokeh.layouts import column

from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.between import BetweenPanel
from latentlab.explore.panels.draw import DrawPanel
from latentlab.explore.panels.label import LabelPanel
from latentlab.explore.panels.plane import PlanePanel
from latentlab.explore.panels.side_by_side import SideBySidePanel
from latentlab.explore.panels.units import UnitsPanel
from latentlab.explore.template import set_template
from latentlab.explore.walk import Walk


def fill(document: Document, spaces: list[LatentSpace]) -> None:
    """Put the panels of a run into the document of one reader, whose walk disturbs no other's.

    The run is the one whose number the address has, as in `?run=1`, or else the first.
    """
    number = _number(document, len(spaces))
    walk = Walk(spaces[number], seed=0)
    panels = {"plane": PlanePanel(walk).layout, "units": UnitsPanel(walk).layout}
    if walk.space.labels:
        panels["label"] = LabelPanel(walk).layout
    panels |= {"draw": DrawPanel(walk).layout, "between": BetweenPanel(walk).layout}
    if len(spaces) > 1:
        panels["side_by_side"] = SideBySidePanel(walk, spaces).layout
    for name, panel in panels.items():
        document.add_root(column(panel, name=f"{name}_panel", sizing_mode="stretch_width"))
    set_template(document, spaces, list(panels), live=True, number=number)


def _number(document: Document, count: int) -> int:
    context = document.session_context
    given = context.request.arguments.get("run", [b""])[0] if context and context.request else b""
    number = int(given) if given.isdigit() and len(given) < 4 else 0
    return number if number < count else 0
