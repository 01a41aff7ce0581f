"""Images as arrays of colours, as the browser draws them."""

import numpy as np
import torch
from jaxtyping import Float, UInt32
from matplotlib.colors import to_rgb
from torch import Tensor
from torchvision.utils import make_grid

from latentlab.figures.style import BLUE, VERMILLION

BRIGHTER, DARKER = torch.tensor(to_rgb(VERMILLION)), torch.tensor(to_rgb(BLUE))


def colours(image: Float[Tensor, "c h w"]) -> UInt32[np.ndarray, "h w"]:
    """Of an image within [0, 1], one or three channels; opaque, the lowest row first."""
    rgb = (image.expand(3, -1, -1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return np.ascontiguousarray(np.concatenate((rgb, opaque), 2)[::-1]).view(np.uint32)[..., 0]


def tiled(images: Float[Tensor, "n c h w"], columns: int, gap: int = 1) -> Float[Tensor, "3 height width"]:
    """Images row by row, with white lines between them."""
    grid = make_grid(images, nrow=columns, padding=gap, pad_value=1.0)
    inner: Tensor = grid[:, gap:-gap, gap:-gap] if gap else grid
    return inner


def change(before: Float[Tensor, "c h w"], after: Float[Tensor, "c h w"]) -> Float[Tensor, "3 h w"]:
    """White where nothing changed, orange where it became brighter, blue where it became darker."""
    difference = (after - before).mean(0)
    ink = difference.abs().unsqueeze(0)
    colour = torch.where(difference > 0, BRIGHTER[:, None, None], DARKER[:, None, None])
    return 1 - ink + ink * colour
