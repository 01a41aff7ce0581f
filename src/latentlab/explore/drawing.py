"""A drawing by the pointer, and an image file, as images of the data's shape."""

import io
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from latentlab.data.decoding import ERRORS, PixelFormat

CANVAS = 112  # pixels of its side: four of each of an MNIST image's
BOX = 20 / 28  # the share of MNIST's images that the digit is scaled to
MAX_PIXELS = 4_000_000  # of an image file

Place = tuple[float, float]  # across and up, from 0 to 1


@final
class UnusableImageError(ValueError):
    """A file that is no image, or too large; the message says so."""


@final
@dataclass(eq=False)
class Canvas:
    """White strokes on black, `CANVAS` pixels square, the top row first; `ink` is within [0, 1]."""

    ink: Float[np.ndarray, "h w"] = field(default_factory=lambda: np.zeros((CANVAS, CANVAS), np.float32))

    def stroke(self, start: Place, end: Place, thickness: float, erase: bool = False) -> None:
        """A straight line with round ends. thickness: as a share of the canvas."""
        rows, columns = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32) + 0.5
        (x0, y0), (x1, y1) = ((place[0] * CANVAS, (1 - place[1]) * CANVAS) for place in (start, end))
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / length if length > 0 else np.zeros_like(rows)
        along = np.clip(along, 0, 1)
        distance = np.hypot(columns - x0 - along * (x1 - x0), rows - y0 - along * (y1 - y0))
        line = np.clip(thickness * CANVAS / 2 - distance + 0.5, 0, 1).astype(np.float32)
        self.ink = self.ink * (1 - line) if erase else np.maximum(self.ink, line)

    def clear(self) -> None:
        self.ink = np.zeros_like(self.ink)

    def image(self, shape: tuple[int, int, int], as_mnist: bool) -> Float[Tensor, "c h w"]:
        """The drawing with the data's shape. as_mnist: centred and scaled as MNIST's images are."""
        grey = _as_mnist(self.ink, shape[1:]) if as_mnist else _resized(self.ink, shape[1:])
        return torch.from_numpy(grey).expand(shape).contiguous()


def image_of(content: bytes, shape: tuple[int, int, int]) -> Float[Tensor, "c h w"]:
    """An image file's picture, cropped to the data's proportions in its middle and resized, within [0, 1].

    Raises:
        UnusableImageError: it is no image that Pillow reads, or has more than four million pixels.
    """
    channels, height, width = shape
    try:
        with Image.open(io.BytesIO(content)) as file:
            if file.width * file.height > MAX_PIXELS:
                raise UnusableImageError(f"expected at most {MAX_PIXELS:,} pixels, found {file.width} x {file.height}")
            levels = PixelFormat.of(None, False, channels).pixels(file)
    except UnusableImageError:
        raise
    except ERRORS as error:
        raise UnusableImageError("expected an image file, such as PNG or JPEG, found something else") from error
    picture = Image.fromarray(levels[0] if channels == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0)))
    scale = min(picture.width / width, picture.height / height)
    left, top = (picture.width - scale * width) / 2, (picture.height - scale * height) / 2
    box = (left, top, left + scale * width, top + scale * height)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX, box), np.float32) / 255
    return torch.from_numpy(small).reshape(height, width, channels).permute(2, 0, 1).contiguous()


def _as_mnist(ink: Float[np.ndarray, "h w"], size: tuple[int, int]) -> Float[np.ndarray, "height width"]:
    """Scaled into a box of 20 of 28 pixels, its centre of mass in the middle (LeCun et al. 1998)."""
    found = np.zeros(size, np.float32)
    rows, columns = (np.flatnonzero(ink.max(axis) > 0.05) for axis in (1, 0))
    if not len(rows):
        return found
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX * min(size) / max(cut.shape)
    height, width = (max(1, round(scale * side)) for side in cut.shape)
    small = _resized(cut, (height, width))
    mass = small.sum()
    if mass == 0:  # faint remains of a stroke that was erased
        return found
    centre = (np.arange(height) + 0.5) @ small.sum(1) / mass, (np.arange(width) + 0.5) @ small.sum(0) / mass
    top, left = (int(np.clip(round(s / 2 - c), 0, s - n)) for s, c, n in zip(size, centre, small.shape, strict=True))
    found[top : top + height, left : left + width] = small
    return found


def _resized(grey: Float[np.ndarray, "h w"], size: tuple[int, int]) -> Float[np.ndarray, "height width"]:
    image = Image.fromarray((255 * grey).round().astype(np.uint8))
    return np.asarray(image.resize(size[::-1], Image.Resampling.BOX), np.float32) / 255
