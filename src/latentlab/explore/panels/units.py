"""The units: a slider each for the most active ones, and what changed in the picture since the pinned code."""

from functools import partial
from typing import final

import torch
from bokeh.layouts import column
from bokeh.models import Button, Slider
from bokeh.models.layouts import Column

from latentlab.explore.picture import Picture, beside, stacked
from latentlab.explore.pixels import change
from latentlab.explore.walk import Walk

AT_ONCE = 8  # sliders that are shown
MOST = 64  # sliders in all
STEPS = 100


@final
class UnitsPanel:
    """The panel of one walk; `layout` is what the page shows."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.space = walk, walk.space
        activity = self.space.codes.activity
        self.sliders = {unit: self._slider(unit, float(activity[unit])) for unit in self.space.units[:MOST]}
        sliders = list(self.sliders.values())
        self.others = column(*sliders[AT_ONCE:], visible=False, sizing_mode="stretch_width")
        self.unfold = Button(label=f"{len(sliders) - AT_ONCE} more units, less active", name="unfold")
        self.unfold.on_click(self._unfold)
        caption = self.space.caption("A decoded code.")
        changed, proportion = self.space.caption("Orange: brighter, blue: darker than pinned."), self.space.proportion
        self.current = Picture("current", "current code", caption, proportion=proportion)
        self.before = Picture("before", "pinned code", caption, proportion=proportion)
        self.change = Picture("change", "change", changed, proportion=proportion)
        actions = {
            "random test image": lambda: walk.take_test_image(walk.any_test_image()),
            f"draw from the {self.space.source}": lambda: walk.pin(self.space.draw(walk.generator, walk.label)),
            "the image's own code": lambda: walk.pin(walk.own),
            "all units zero": lambda: walk.pin(torch.zeros_like(walk.code)),
            "pin this code": lambda: walk.pin(walk.code),
        }
        self.buttons = [Button(label=label) for label in actions]
        for button, action in zip(self.buttons, actions.values(), strict=True):
            button.on_click(action)
        walk.watch(self._follow)

    @property
    def layout(self) -> Column:
        folded = [self.unfold, self.others] if len(self.sliders) > AT_ONCE else []
        shown = list(self.sliders.values())[:AT_ONCE]
        left = stacked(*shown, *folded, basis=300)
        pictures = (self.current.figure, self.before.figure, self.change.figure)
        return column(beside(*self.buttons), beside(left, *pictures), sizing_mode="stretch_width")

    def _slider(self, unit: int, activity: float) -> Slider:
        low, high = self.space.ranges[unit].tolist()
        title = f"unit {unit} ({self.space.units_measure} {activity:.2g})"
        slider = Slider(title=title, start=low, end=high, step=(high - low) / STEPS, value=low, name=f"unit {unit}")
        slider.sizing_mode = "stretch_width"
        slider.on_change("value", partial(self._slide, unit))
        return slider

    def _slide(self, unit: int, attr: str, old: float, new: float) -> None:
        if abs(new - float(self.walk.code[unit])) > 1e-6:  # by the reader, not by `_follow`
            code = self.walk.code.clone()
            code[unit] = new
            self.walk.go(code)

    def _unfold(self) -> None:
        self.others.visible = not self.others.visible

    def _follow(self) -> None:
        for unit, slider in self.sliders.items():
            value = float(self.walk.code[unit])
            if value != slider.value:
                slider.update(start=min(slider.start, value), end=max(slider.end, value), value=value)
        picture, before = self.walk.picture(), self.walk.picture(self.walk.pinned)
        self.current.show(picture)
        self.before.show(before)
        self.change.show(change(before, picture))
