"""The label of a conditional model: the same code under another label, or under all of them at once."""

from typing import final

import torch
from bokeh.layouts import column
from bokeh.models import RadioButtonGroup, Select
from bokeh.models.layouts import Column

from latentlab.explore.picture import Picture
from latentlab.explore.pixels import tiled
from latentlab.explore.walk import Walk

BUTTONS = 10  # labels that have one each; more are in a list


@final
class LabelPanel:
    """The panel of one walk; `layout` is what the page shows."""

    def __init__(self, walk: Walk) -> None:
        self.walk, names = walk, list(walk.space.labels)
        few = len(names) <= BUTTONS
        self.choice = (
            RadioButtonGroup(labels=names, active=walk.label, name="label", sizing_mode="stretch_width")
            if few
            else Select(options=names, value=names[walk.label], name="label")
        )
        self.columns = min(len(names), BUTTONS)
        rows = -(-len(names) // self.columns)
        caption = walk.space.caption(f"One code under the labels {', '.join(names)}.")
        self.all = Picture(
            "labels", "under every label", caption, width=1000, proportion=walk.space.proportion * self.columns / rows
        )
        self.choice.on_change("active" if few else "value", self._choose)
        walk.watch(self._follow)

    @property
    def layout(self) -> Column:
        return column(self.choice, self.all.figure, sizing_mode="stretch_width")

    def _choose(self, attr: str, old: object, new: int | str) -> None:
        label = new if isinstance(new, int) else self.walk.space.labels.index(new)
        if label != self.walk.label:
            self.walk.relabel(label)

    def _follow(self) -> None:
        space, code = self.walk.space, self.walk.code.unsqueeze(0)
        if isinstance(self.choice, RadioButtonGroup):
            self.choice.active = self.walk.label
        else:
            self.choice.value = space.labels[self.walk.label]
        images = torch.cat([space.decode(code, label) for label in range(len(space.labels))])
        self.all.show(tiled(images, self.columns))
