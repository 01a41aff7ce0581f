"""Images side by side on one grey scale: 0 is black and 1 is white in every picture."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from latentlab.figures.style import MARGIN, TEXT_SIZE, escaped, new_figure

GAP = 1  # pixels of the images
BLOCK_GAP = 5
WHITE = 255
LARGEST_HEIGHT = 11.0  # inches: a page


def image_grid(
    images: Float[Tensor, "n c h w"],
    columns: int,
    title: str,
    subtitle: str,
    row_labels: Sequence[str] | None = None,
    row_axis: str = "",
) -> Figure:
    """Images in [0, 1], one or three channels, row by row.

    Values outside [0, 1] are clamped, and nothing is rescaled. `row_labels` name the rows, and `row_axis` is the title
    of their axis.
    """
    rows = -(-len(images) // columns)
    return _draw(images, columns, rows, title, subtitle, row_labels or [""] * rows, row_axis)


def comparison(rows: Mapping[str, Float[Tensor, "n c h w"]], title: str, subtitle: str, columns: int = 8) -> Figure:
    """The same n images in several versions, such as input and reconstruction, in rows one below the other.

    rows: images in [0, 1], one or three channels, by the name of the version, from top to bottom.
    """
    blocks = [torch.stack(versions) for versions in zip(*(v.split(columns) for v in rows.values()), strict=True)]
    padded = [torch.nn.functional.pad(b, (0, 0) * 3 + (0, columns - b.shape[1]), value=1.0) for b in blocks]
    images = torch.cat([block.flatten(0, 1) for block in padded])
    return _draw(images, columns, len(rows), title, subtitle, [*rows] * len(blocks), "")


def _draw(
    images: Float[Tensor, "n c h w"],
    columns: int,
    rows_per_block: int,
    title: str,
    subtitle: str,
    labels: Sequence[str],
    row_axis: str,
) -> Figure:
    canvas, offsets = _tile(_as_pixels(images), columns, rows_per_block)
    labelled = any(labels)
    width = 6.4 if labelled else 5.6
    height = min((width - 0.9 * labelled) * canvas.shape[0] / canvas.shape[1] + 2 * MARGIN, LARGEST_HEIGHT)
    figure = new_figure(width, height, title, subtitle)
    axes = figure.add_subplot()
    axes.imshow(canvas, interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([offset + (images.shape[2] - 1) / 2 for offset in offsets] if labelled else [])
    if labelled:
        row_height = 72 * height / len(offsets)
        axes.set_yticklabels([*map(escaped, labels)], fontsize=min(TEXT_SIZE, row_height))
        axes.tick_params(length=0)
        axes.set_ylabel(row_axis, fontsize=TEXT_SIZE)
    return figure


def _as_pixels(images: Float[Tensor, "n c h w"]) -> UInt8[np.ndarray, "n h w 3"]:
    colour = images.detach().float().cpu().expand(-1, 3, -1, -1)
    return (colour.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _tile(
    images: UInt8[np.ndarray, "n h w 3"], columns: int, rows_per_block: int
) -> tuple[UInt8[np.ndarray, "height width 3"], list[int]]:
    """The images on white, and the first pixel line of each row; the gap between blocks of rows is larger."""
    count, h, w, _ = images.shape
    rows = -(-count // columns)
    offsets = [row * (h + GAP) + row // rows_per_block * BLOCK_GAP for row in range(rows)]
    canvas = np.full((offsets[-1] + h, columns * (w + GAP) - GAP, 3), WHITE, np.uint8)
    for index, image in enumerate(images):
        top, left = offsets[index // columns], index % columns * (w + GAP)
        canvas[top : top + h, left : left + w] = image
    return canvas, offsets
