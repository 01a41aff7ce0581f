"""The document of one reader: the panels of a run, and the choice among several runs."""

from importlib.resources import files
from typing import final

from bokeh.document import Document
from bokeh.layouts import column
from bokeh.models import Select
from jinja2 import Environment

from latentlab.explore.events import changed
from latentlab.explore.latent_space import LatentSpace
from latentlab.explore.panels.between import BetweenPanel
from latentlab.explore.panels.draw import DrawPanel
from latentlab.explore.panels.label import LabelPanel
from latentlab.explore.panels.plane import PlanePanel
from latentlab.explore.panels.side_by_side import SideBySidePanel
from latentlab.explore.panels.units import UnitsPanel
from latentlab.explore.walk import Walk

TEMPLATES = files("latentlab.explore") / "templates"
PANELS = ("plane", "units", "label", "draw", "between", "side_by_side")


@final
class Page:
    """What one reader sees; two readers have a page each, and do not disturb each other."""

    def __init__(self, spaces: list[LatentSpace], document: Document) -> None:
        self.spaces = {space.name: space for space in spaces}
        absent = {"label": not any(space.labels for space in spaces), "side_by_side": len(spaces) == 1}
        shown = [name for name in PANELS if not absent.get(name)]
        self.places = {name: column(name=name, sizing_mode="stretch_width") for name in shown}
        names = list(self.spaces)
        self.choice = Select(title="run", value=names[0], options=names, visible=len(names) > 1)
        self.choice.on_change("value", changed(self._fill))
        document.title = f"latentlab explore: {names[0] if len(names) == 1 else f'{len(names)} runs'}"
        document.template = Environment().from_string((TEMPLATES / "explore.html").read_text())
        document.template_variables.update(style=(TEMPLATES / "explore.css").read_text(), shown=shown)
        for root in (column(self.choice, name="choice"), *self.places.values()):
            document.add_root(root)
        self._fill()

    def _fill(self) -> None:
        space = self.spaces[self.choice.value]
        self.walk = walk = Walk(space, seed=0)
        panels = {
            "plane": PlanePanel(walk).layout,
            "units": UnitsPanel(walk).layout,
            "draw": DrawPanel(walk).layout,
            "between": BetweenPanel(walk).layout,
        }
        if space.labels:
            panels["label"] = LabelPanel(walk).layout
        if len(self.spaces) > 1:
            panels["side_by_side"] = SideBySidePanel(walk, list(self.spaces.values())).layout
        for name, place in self.places.items():
            place.children = [panels[name]] if name in panels else []
