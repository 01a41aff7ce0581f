"""Between two codes: a path of eleven steps, and one of its places under a scrubber."""

from functools import partial
from typing import final

import torch
from bokeh.layouts import column
from bokeh.models import Button, RadioButtonGroup, Slider, Spinner
from bokeh.models.layouts import Column
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.events import changed
from latentlab.explore.picture import Picture, beside, stacked
from latentlab.explore.pixels import tiled
from latentlab.explore.walk import Walk
from latentlab.functional.paths import linear, spherical

POINTS = 11
PATHS = {"straight": linear, "spherical": spherical}


@final
class BetweenPanel:
    """The panel of one walk; `layout` is what the page shows."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.space = walk, walk.space
        most = len(self.space.codes.z) - 1
        numbers = [min(number, most) for number in (0, 1)]
        self.ends = [self.space.codes.z[number] for number in numbers]
        self.images = [
            Spinner(title=f"{way} test image number", low=0, high=most, step=1, value=number, width=160, name=way)
            for way, number in zip(("from", "to"), numbers, strict=True)
        ]
        self.pins = [Button(label=f"{way} the current code", width=160) for way in ("from", "to")]
        self.path = RadioButtonGroup(labels=list(PATHS), active=0, name="path")
        self.fraction = Slider(title="of the way", start=0, end=1, step=0.01, value=0.5, name="fraction")
        self.fraction.sizing_mode = "stretch_width"
        path = self.space.caption("A decoded code of the path.")
        self.one = Picture("between", "at the scrubber", path, proportion=self.space.proportion)
        caption = self.space.caption(f"{POINTS} codes at even steps from one code to another, decoded.")
        self.strip = Picture("strip", "the path", caption, width=1000, proportion=POINTS * self.space.proportion)
        for end in (0, 1):
            self.images[end].on_change("value", partial(self._take_image, end))
            self.pins[end].on_click(partial(self._take_current, end))
        self.path.on_change("active", changed(self._draw))
        self.fraction.on_change("value", changed(self._scrub))
        self.label: int | None = None  # under which the path is decoded
        walk.watch(self._follow)

    @property
    def layout(self) -> Column:
        ends = beside(*(column(self.images[end], self.pins[end]) for end in (0, 1)), self.path)
        scrubber = beside(self.one.figure, stacked(self.fraction, basis=200))
        return column(ends, scrubber, self.strip.figure, sizing_mode="stretch_width")

    def _take_image(self, end: int, attr: str, old: object, number: float | None) -> None:
        if number is not None and 0 <= number < len(self.space.codes.z):
            self.ends[end] = self.space.codes.z[int(number)]
            self._draw()

    def _take_current(self, end: int) -> None:
        self.images[end].value = None  # so that the same number can be chosen again
        self.ends[end] = self.walk.code.clone()
        self._draw()

    def _follow(self) -> None:
        if self.label != self.walk.label:
            self.label = self.walk.label
            self._draw()

    def _codes(self, fraction: Float[Tensor, " k"]) -> Float[Tensor, "k d"]:
        path, (start, end) = PATHS[self.path.labels[self.path.active]], self.ends
        return path(start, end, fraction.unsqueeze(1))

    def _draw(self) -> None:
        images = self.space.decode(self._codes(torch.linspace(0, 1, POINTS)), self.walk.label)
        self.strip.show(tiled(images, POINTS))
        self._scrub()

    def _scrub(self) -> None:
        codes = self._codes(torch.tensor([float(self.fraction.value)]))
        self.one.show(self.space.decode(codes, self.walk.label)[0])
