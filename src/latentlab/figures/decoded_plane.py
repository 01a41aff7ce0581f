"""Images decoded on a grid over a plane of codes, in front of the density of the codes."""

import numpy as np
import torch
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import interpolate

from latentlab.figures.style import new_figure, plain_axes

BINS = 84
DARK = 0.75  # of the colour scale, so that white strokes are readable on its brightest colour


def decoded_plane(
    images: Float[Tensor, "n c h w"], codes: Float[Tensor, "m 2"], span: tuple[float, float], title: str, subtitle: str
) -> Figure:
    """n = k^2 images in [0, 1] on a square grid, row by row from the top left, white on the density of the codes.

    span: of both axes, between the centres of the outermost images.
    """
    side = round(len(images) ** 0.5)
    _, _, height, width = images.shape
    grey = images.detach().float().cpu().clamp(0, 1).mean(1)
    canvas = grey.unflatten(0, (side, side)).permute(0, 2, 1, 3).reshape(side * height, side * width)
    half = (span[1] - span[0]) / (side - 1) / 2
    low, high = span[0] - half, span[1] + half
    background = _density(codes, low, high, canvas.shape[0], canvas.shape[1])
    ink = canvas.numpy()[..., None]
    figure = new_figure(6.4, 6.4, title, subtitle)
    axes = figure.add_subplot()
    axes.imshow((1 - ink) * background + ink, extent=(low, high, low, high), interpolation="nearest")
    axes.set(xlabel="code unit 0", ylabel="code unit 1")
    plain_axes(axes)
    return figure


def _density(
    codes: Float[Tensor, "m 2"], low: float, high: float, height: int, width: int
) -> Float[np.ndarray, "height width 3"]:
    """Colours of the square root of the codes' histogram, so that sparse regions are visible."""
    across, up = codes.detach().double().cpu().T.numpy()
    counts, _, _ = np.histogram2d(up, across, bins=BINS, range=[[low, high], [low, high]])
    density = torch.from_numpy(counts).sqrt().float().flip(0)[None, None]
    smooth = interpolate(density, size=(height, width), mode="bilinear", align_corners=False)[0, 0]
    colours = colormaps["magma"]((DARK * smooth / smooth.max().clamp_min(1)).numpy())
    return np.asarray(colours)[..., :3].astype(np.float32)
