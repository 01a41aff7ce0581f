"""Pictures as arrays of bytes of one size."""

import logging
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from latentlab.data.images import MAX_SIDE, MIN_SIDE
from latentlab.errors import DataError

log = logging.getLogger(__name__)

# what Pillow raises for a damaged file, for one too large to be harmless, and for one that cannot be opened
ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError, Warning)
CHANNELS = (1, 3)
AHEAD = 1_000  # pictures that are decoded before they are needed
OF_FRAMES = ("TIFF", "GIF", "WEBP", "PNG")  # further ones of others, as of a phone's JPEG, are no pictures of their own


@final
class PixelFormat(NamedTuple):
    """How a picture becomes an array.

    image_size: height and width to which it is resized; None: as it is.
    crop: whether the square in the middle is cut out before; otherwise the whole picture is stretched.
    channels: 1 for grey levels, 3 for colours. What is transparent is laid on black.
    """

    image_size: int | None
    crop: bool
    channels: int

    @classmethod
    def of(cls, image_size: int | None, crop: bool, channels: int) -> "PixelFormat":
        """These, checked; raises ValueError for another number of channels."""
        if channels not in CHANNELS:
            raise ValueError(f"channels: expected 1 or 3, found {channels}")
        return cls(image_size, crop, channels)

    def pixels(self, picture: Image.Image) -> UInt8[np.ndarray, "c h w"]:
        """The picture as bytes; raises what Pillow raises for a damaged one."""
        picture = _in_bytes(ImageOps.exif_transpose(picture), "RGB" if self.channels == 3 else "L")
        if self.image_size is not None:
            size = (self.image_size, self.image_size)
            picture = (_square(picture) if self.crop else picture).resize(size, Image.Resampling.BILINEAR)
        pixels = np.asarray(picture)
        return pixels[None] if self.channels == 1 else pixels.transpose(2, 0, 1)


def decoded(
    names: Sequence[object], opened: Callable[[int], Image.Image], form: PixelFormat
) -> Iterator[UInt8[np.ndarray, "c h w"]]:
    """Each picture as bytes, in order, by as many threads as there are processors; a warning where frames are left out.

    Args:
        names: what an error calls each of them; at least one.
        opened: the picture of an index.
        form: of the result.

    Raises:
        DataError: one cannot be read as a picture, is too small or too large, or the sizes differ.
    """
    reading = partial(_decoded, names=names, opened=opened, form=form)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        first = reading(0).pixels
        of_frames = []
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in first.shape[1:]):
            raise DataError(
                f"data.image_size: expected pictures of {MIN_SIDE} to {MAX_SIDE} pixels, found {_size(first)} "
                f"({names[0]}); set data.image_size=PIXELS"
            )
        for begin in range(0, len(names), AHEAD):  # no more of them wait for the one who takes them
            some = range(begin, min(begin + AHEAD, len(names)))
            for k, picture in zip(some, pool.map(reading, some), strict=True):
                if picture.pixels.shape != first.shape:
                    raise DataError(
                        f"data.image_size: expected pictures of one size, found {_size(first)} ({names[0]}) and "
                        f"{_size(picture.pixels)} ({names[k]}); set data.image_size=PIXELS"
                    )
                of_frames += [names[k]] if picture.has_frames else []
                yield picture.pixels
    if of_frames:
        log.warning("the first frame alone is taken of %s pictures, such as %s", f"{len(of_frames):,}", of_frames[0])


@final
class _Decoded(NamedTuple):
    """A picture, and whether its file holds further frames."""

    pixels: UInt8[np.ndarray, "c h w"]
    has_frames: bool


def _decoded(k: int, names: Sequence[object], opened: Callable[[int], Image.Image], form: PixelFormat) -> _Decoded:
    try:
        with opened(k) as picture:
            has_frames = picture.format in OF_FRAMES and bool(getattr(picture, "is_animated", False))
            return _Decoded(form.pixels(picture), has_frames)
    except ERRORS as error:
        raise DataError(
            f"data.root: {names[k]} cannot be read as a picture ({error or type(error).__name__}); delete or replace it"
        ) from error


def _square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _in_bytes(picture: Image.Image, mode: str) -> Image.Image:
    """With one byte per pixel and channel, and without transparency."""
    if picture.mode == "F":
        raise ValueError("its pixels are floats")
    if picture.mode.startswith("I"):  # grey levels of 16 bits, or numbers of 32 with an unknown white
        levels = np.asarray(picture).astype(np.int64)
        if picture.mode == "I" and not (levels.min() >= 0 and 256 <= levels.max() < 2**16):
            raise ValueError("its pixels are integers of 32 bits; save it with 8 or 16")
        if 0 < levels.max() < 256:
            raise ValueError(f"its pixels have 16 bits, of which {levels.max()} is the largest; save it with 8")
        picture = Image.fromarray((levels >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (0, 0, 0, 255)), picture)
    return picture.convert(mode)


def _size(picture: UInt8[np.ndarray, "c h w"]) -> str:
    return f"{picture.shape[1]}x{picture.shape[2]}"
