"""Draw: a digit by the pointer, or an image file, with noise on it, and what the model makes of it."""

import base64
import binascii
from typing import final

import torch
from bokeh.events import Pan, PanEnd, PanStart, PointEvent, Tap
from bokeh.layouts import column
from bokeh.models import Button, CheckboxGroup, Div, FileInput, Select, Slider
from bokeh.models.layouts import Column
from jaxtyping import Float
from torch import Tensor

from latentlab.explore.drawing import Canvas, Place, UnusableImageError, image_of
from latentlab.explore.events import changed
from latentlab.explore.picture import Picture, beside
from latentlab.explore.walk import Walk
from latentlab.functional.corruption import Corruption, Gaussian, Masking, SaltAndPepper
from latentlab.functional.randomness import RandomSource
from latentlab.models.denoising_ae import DenoisingAE

NOISES: dict[str, type[Gaussian] | type[Masking] | type[SaltAndPepper]] = {
    "Gaussian": Gaussian,
    "masking": Masking,
    "salt and pepper": SaltAndPepper,
}
FILES = ".png,.jpg,.jpeg,.bmp,.gif,.webp"
NONE, OWN = "none", "that of the training"
LINES_OF_MNIST = 0.08  # of the canvas: the usual thickness of its digits
ERASE, AS_MNIST = "eraser", "centre and scale as MNIST's images are"


@final
class DrawPanel:
    """The panel of one walk; `layout` is what the page shows.

    clean: the reader's image without noise, (C, H, W); None before the first stroke.
    """

    def __init__(self, walk: Walk) -> None:
        self.walk, self.space = walk, walk.space
        self.canvas, self.last = Canvas(), (0.5, 0.5)
        self.clean: Float[Tensor, "c h w"] | None = None
        self.paper = Picture("canvas", "draw here", "The drawing.", width=300)
        for event, callback in ((PanStart, self._dot), (Tap, self._dot), (Pan, self._draw), (PanEnd, self._draw)):
            self.paper.figure.on_event(event, callback)
        self.thickness = Slider(title="thickness", start=0.02, end=0.2, step=0.01, value=LINES_OF_MNIST, width=160)
        mnist = [1] if min(self.space.model.image_shape[1:]) <= 32 and self.space.model.image_shape[0] == 1 else []
        self.switches = CheckboxGroup(labels=[ERASE, AS_MNIST], active=mnist, name="switches")
        self.clear = Button(label="clear", name="clear")
        self.file = FileInput(accept=FILES, title="or drop an image file here", name="file")
        model = self.space.model
        own = [OWN] if isinstance(model, DenoisingAE) else []
        self.noise = Select(title="noise", value=(own or [NONE])[0], options=[*own, NONE, *NOISES], width=170)
        self.strength = Slider(title="strength", start=0, end=1, step=0.02, value=0.3, width=160, name="strength")
        caption = self.space.caption("An image of the reader's own.")
        self.seen = Picture("seen", "what the model sees", caption, proportion=self.space.proportion)
        self.restored = Picture("restored", "its reconstruction", caption, proportion=self.space.proportion)
        self.words = Div(text="", name="error", styles={"min-height": "2em"})
        self.clear.on_click(self._clear)
        self.file.on_change("value", self._take_file)
        self.switches.on_change("active", self._switch)
        for widget in (self.noise, self.strength):
            widget.on_change("value", changed(lambda: self._take(self.clean)))
        self._show_paper()

    @property
    def layout(self) -> Column:
        tools = column(self.thickness, self.switches, self.clear, self.file, self.noise, self.strength)
        pictures = column(beside(self.seen.figure, self.restored.figure), self.words)
        return column(beside(self.paper.figure, tools, pictures), sizing_mode="stretch_width")

    def _dot(self, event: PointEvent) -> None:
        if place := _place(event):
            self._stroke(place, place)

    def _draw(self, event: PointEvent) -> None:
        if place := _place(event):
            self._stroke(self.last, place)

    def _stroke(self, start: Place, end: Place) -> None:
        self.canvas.stroke(start, end, self.thickness.value, erase=self._is_on(ERASE))
        self.last = end
        self._show_paper()
        self._take_drawing()

    def _switch(self, attr: str, old: list[int], new: list[int]) -> None:
        is_scaling = self.switches.labels.index(AS_MNIST) in {*old} ^ {*new}
        if is_scaling and self.canvas.ink.any():
            self._take_drawing()

    def _take_drawing(self) -> None:
        self._take(self.canvas.image(self.space.model.image_shape, self._is_on(AS_MNIST)))

    def _clear(self) -> None:
        self.canvas.clear()
        self._show_paper()
        self._take(None)

    def _take_file(self, attr: str, old: object, content: str) -> None:
        try:
            image = image_of(base64.b64decode(content, validate=True), self.space.model.image_shape)
        except (UnusableImageError, binascii.Error) as error:
            self.words.text = str(error)
        else:
            self.canvas.clear()
            self._show_paper()
            self._take(image)

    def _take(self, image: Float[Tensor, "c h w"] | None) -> None:
        self.clean = image
        if image is None:
            self.words.text = ""
            for picture in (self.seen, self.restored):
                picture.clear()
            return
        seen = image if (corruption := self._corruption()) is None else _corrupted(image, corruption)
        self.walk.take_image(seen)
        restored = self.walk.picture()
        self.seen.show(seen.clamp(0, 1))
        self.restored.show(restored)
        error = float((restored - image).square().mean())
        self.words.text = f"squared error per pixel, against the image without noise: {error:.4f}"

    def _corruption(self) -> Corruption | None:
        model = self.space.model
        if self.noise.value == OWN and isinstance(model, DenoisingAE):
            return model.corruption
        kind = NOISES.get(self.noise.value)
        return None if kind is None else kind(self.strength.value)

    def _is_on(self, label: str) -> bool:
        return self.switches.labels.index(label) in self.switches.active

    def _show_paper(self) -> None:
        self.paper.show(torch.from_numpy(self.canvas.ink).unsqueeze(0))


def _place(event: PointEvent) -> Place | None:
    return None if event.x is None or event.y is None else (event.x, event.y)


def _corrupted(image: Float[Tensor, "c h w"], corruption: Corruption) -> Float[Tensor, "c h w"]:
    """With the same draws for every image, so that a stroke does not make all of them anew."""
    return corruption(image.unsqueeze(0), RandomSource(0))[0]
