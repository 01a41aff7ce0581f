"""A run's picture as a part of the page: checked, made small, and written as a data URI."""

import base64
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import final

from PIL import Image

MAX_PIXELS = 40_000_000
COLOURS = 128
# what Pillow raises for a damaged file
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError, Warning)


@final
@dataclass(frozen=True)
class Embedded:
    """source: a data URI. width, height: in pixels."""

    source: str
    width: int
    height: int


def embedded(file: Path, width: int, sharp: bool) -> Embedded:
    """The picture of a PNG file, at most `width` pixels wide; sharp ones take more bytes.

    Raises:
        one of `DAMAGE`: the file is no picture, or has too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=["PNG"]) as found:
            if found.width * found.height > MAX_PIXELS:
                raise ValueError(f"{found.width} x {found.height} pixels are too many")
            pixels = found.convert("RGB")
    if pixels.width > width:
        high = max(1, round(pixels.height * width / pixels.width))
        pixels = pixels.resize((width, high), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if sharp:  # smaller than anything else where it was not resized
        pixels.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    else:
        pixels.save(stream, "WEBP", quality=80, method=2)
    kind = "png" if sharp else "webp"
    source = f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
    return Embedded(source, pixels.width, pixels.height)


def damage_of(name: str, error: Exception) -> str:
    """A line that names the damaged file."""
    is_other = isinstance(error, OSError) and "cannot identify" in str(error)
    return f"{name} is damaged ({'no PNG' if is_other else ' '.join(str(error).split())[:80]})"
