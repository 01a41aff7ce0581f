"""Images in rows and columns as one PNG within a style sheet, of which the page shows one image or a row at a time."""

import base64
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from bokeh.models import Div, InlineStyleSheet
from jaxtyping import Float
from PIL import Image
from torch import Tensor

LONGEST = 128  # pixels of a side of one image; larger ones are averaged
STRIP = 84  # pixels of the screen, the widest that an image of a strip is
PIXELS = 4_000_000  # of a sprite: as many as a browser decodes at once without a pause


@final
@dataclass(frozen=True, eq=False)
class Tiles:
    """Images (N, C, H, W) row by row; the last row may be short."""

    images: Float[Tensor, "n c h w"]
    columns: int


@final
class Sprite:
    """Tiles as a PNG; every image is averaged over squares of `shrink` pixels a side first.

    sheet: shared by what shows the sprite, so that the page holds it once. size: its bytes on the page.
    """

    def __init__(self, tiles: Tiles, shrink: int) -> None:
        images = tiles.images
        if shrink > 1:
            images = torch.nn.functional.avg_pool2d(images, shrink, ceil_mode=True)
        self.count, channels, self.height, self.width = images.shape
        self.columns = tiles.columns
        self.rows = -(-self.count // self.columns)
        missing = images.new_zeros(self.rows * self.columns - self.count, *images.shape[1:])
        grid = torch.cat((images, missing)).unflatten(0, (self.rows, self.columns))
        whole = grid.permute(0, 3, 1, 4, 2).reshape(self.rows * self.height, self.columns * self.width, channels)
        content = _png(whole)
        self.size, self.pixels = len(content), whole.shape[0] * whole.shape[1]
        self.sheet = InlineStyleSheet(
            css=f":host {{ background: url(data:image/png;base64,{content}) no-repeat; image-rendering: pixelated; }}"
        )

    def picture(self, side: int, column: int = 0, row: int = 0, name: str = "") -> Div:
        """One image, enlarged to at most `side` pixels of the screen, never made smaller; `move` shows another."""
        scale = max(1, side // max(self.height, self.width))
        width, height = scale * self.width, scale * self.height
        size = f":host {{ background-size: {self.columns * width}px {self.rows * height}px; }}"
        place = {"background-position": f"{-width * column}px {-height * row}px"}
        return Div(width=width, height=height, stylesheets=[self.sheet, size], styles=place, name=name or None)

    def strip(self, row: int = 0, rows: int = 1, name: str = "") -> Div:
        """Whole rows from `row` on, as wide as there is room; `move_strip` shows another."""
        width, height = self.columns * self.width, rows * self.height
        look = (
            f":host {{ background-size: 100% {100 * self.rows / rows}%; aspect-ratio: {width} / {height};"
            f" max-width: {max(1, STRIP // self.width) * width}px; }}"
        )
        place = {"background-position": f"0 {100 * row / max(self.rows - rows, 1)}%"}
        return Div(sizing_mode="stretch_width", stylesheets=[self.sheet, look], styles=place, name=name or None)


def move(picture: str, column: str, row: str) -> str:
    """JavaScript that has a picture show another of its sprite's images."""
    place = f"`${{-{picture}.width * ({column})}}px ${{-{picture}.height * ({row})}}px`"
    return f"{picture}.styles = {{'background-position': {place}}};\n"


def move_strip(strip: str, row: str, rows: int) -> str:
    """JavaScript that has a strip of one row show another of the sprite's `rows`."""
    return f"{strip}.styles = {{'background-position': `0 ${{100 * ({row}) / {max(rows - 1, 1)}}}%`}};\n"


@final
class Budget:
    """The bytes of images that a page has left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def sprites(self, tiles: Callable[[int], list[Tiles]], most: int, least: int, limit: int) -> list[Sprite]:
        """As many images as fit: `tiles(count)` for the largest count from `most` down that was found to.

        Where `tiles(least)` is still too large, its images are made smaller. limit: in bytes, of all of them together.
        """
        count, found = most, _sprites(tiles(most), 1)
        while (excess := _excess(found, limit)) > 1 and count > least:
            count = max(least, min(count - 1, math.floor(count / math.sqrt(excess))))
            found = _sprites(tiles(count), 1)
        shrink = 1
        while _excess(found, limit) > 1 and max(max(one.height, one.width) for one in found) > 1:
            shrink *= 2
            found = _sprites(tiles(count), shrink)
        self.left -= sum(one.size for one in found)
        return found


def _sprites(all_tiles: list[Tiles], shrink: int) -> list[Sprite]:
    return [Sprite(tiles, shrink * -(-max(tiles.images.shape[2:]) // LONGEST)) for tiles in all_tiles]


def _excess(sprites: list[Sprite], limit: int) -> float:
    """By what factor they are too large; at most 1 where they are not."""
    return max(sum(one.size for one in sprites) / max(limit, 1), max(one.pixels for one in sprites) / PIXELS)


def _png(image: Float[Tensor, "h w c"]) -> str:
    levels = (255 * image).round().to(torch.uint8).numpy()
    file = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
