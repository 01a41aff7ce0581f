"""Sparsity of the code, and the variance that it explains."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import Batch
from latentlab.functional.distributed import sum_over_devices
from latentlab.functional.precision import widest
from latentlab.models.base import Autoencoder

ROUNDING = 1e-12  # of sums in float64


def sparsity(model: Autoencoder, loader: Iterable[Batch], active_above: float) -> Iterator[tuple[str, float]]:
    """Over a whole split, on all devices together:

    active_fraction: fraction of (image, unit) pairs with |z| > active_above; lower is sparser.
    dead_unit_share: fraction of units that are active for no image; lower is better.
    hoyer: mean over the images of (sqrt(D) - |z|_1 / |z|_2) / (sqrt(D) - 1), from 0 if all units are equally large to
        1 if a single unit is not zero (Hoyer 2004, section 3.1); higher is sparser. Skipped for a code of one unit.
    variance_explained: 1 - SSE/SST of the reconstructed pixels, SST around the split's mean image; higher is better;
        NaN if all images are equal.

    Every device must get equally many batches; its rows of a batch may be fewer than another's, or none.
    """
    images, active, sparseness, squared_error, pixel_sum, pixel_squares = (
        sum_over_devices(total) for total in _sums(model, loader, active_above)
    )
    yield "active_fraction", float(active.sum() / (images * active.numel()))
    yield "dead_unit_share", float((active == 0).float().mean())
    if active.numel() > 1:
        yield "hoyer", float(sparseness / images)
    total_squares = (pixel_squares - pixel_sum.square() / images).sum()
    varied = total_squares > ROUNDING * pixel_squares.sum()
    yield "variance_explained", float(1 - squared_error / total_squares) if varied else math.nan


@torch.no_grad()
def _sums(model: Autoencoder, loader: Iterable[Batch], active_above: float) -> list[Tensor]:
    """Images, active images per unit (D,), Hoyer's sparseness, squared error, sum and squares per pixel (C, H, W)."""
    totals: list[Tensor] = []
    for batch in loader:
        z = model.encode(batch.x, batch.y).z
        error = batch.x - model.decode(z, batch.y)
        wide = widest(batch.x.device)
        x = batch.x.to(wide)
        sums = [
            torch.tensor(len(x), dtype=x.dtype, device=x.device),
            (z.abs() > active_above).sum(0).to(wide),
            _hoyer(z.to(wide)).sum(),
            error.to(wide).square().sum(),
            x.sum(0),
            x.square().sum(0),
        ]
        totals = [total + new for total, new in zip(totals, sums, strict=True)] if totals else sums
    return totals


def _hoyer(z: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    """Hoyer's sparseness of each code; 1 for a code of zeros."""
    root = math.sqrt(z.shape[1])
    length = z.norm(dim=1)
    sparseness = (root - z.abs().sum(1) / length.clamp_min(torch.finfo(z.dtype).tiny)) / max(root - 1, 1e-12)
    return torch.where(length > 0, sparseness, 1.0)
