"""The size of the code, its error at eight bits per unit, and that of a PCA of the same size."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor

from latentlab.functional.batch import Batch
from latentlab.functional.losses import mse_per_image
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes

LEVELS = 256


def compression(
    model: Autoencoder, loader: Iterable[Batch], codes: Codes, train: Float[Tensor, "n c h w"]
) -> Iterator[tuple[str, float]]:
    """On the split of `loader`; lower is better for each:

    code_size: D, units per code. code_bits: D log2 256, bits per code of eight bits per unit.
    mse_quantized: squared error per pixel of the images decoded from codes whose units are rounded to 256 levels
        between their minimum and maximum on the training images.
    mse_pca: squared error per pixel of the projection onto the first D principal components of the training images,
        on which it is the least of all linear codes (Bourlard and Kamp 1988); skipped where D is at least the number of
        pixels.

    codes, train: of the training images.
    """
    size = codes.z.shape[1]
    low, high = codes.z.amin(0), codes.z.amax(0)
    batches = list(loader)
    yield "code_size", float(size)
    yield "code_bits", size * math.log2(LEVELS)
    errors = torch.cat([_errors(model, batch, low, high) for batch in batches])
    yield "mse_quantized", float(errors.double().mean())
    if size < train[0].numel():
        yield "mse_pca", pca_error(train, torch.cat([batch.x for batch in batches]), size)


@torch.no_grad()
def _errors(
    model: Autoencoder, batch: Batch, low: Float[Tensor, " d"], high: Float[Tensor, " d"]
) -> Float[Tensor, " b"]:
    z = quantized(model.encode(batch.x, batch.y).z, low, high)
    return mse_per_image(batch.x, model.decode(z, batch.y))


def quantized(
    z: Float[Tensor, "b d"], low: Float[Tensor, " d"], high: Float[Tensor, " d"], levels: int = LEVELS
) -> Float[Tensor, "b d"]:
    """Each unit rounded to the nearest of `levels` even levels from low to high; values outside are clamped."""
    width = ((high - low) / (levels - 1)).clamp_min(torch.finfo(z.dtype).tiny)
    return low + ((z - low) / width).round().clamp(0, levels - 1) * width


def pca_error(train: Float[Tensor, "n c h w"], test: Float[Tensor, "m c h w"], size: int) -> float:
    """Squared error per pixel of the test images, projected onto the first `size` principal components of `train`."""
    x, x_test = (images.flatten(1).cpu().numpy() for images in (train, test))
    if len(x) == 1:  # nothing varies
        return float(((x_test - x) ** 2).mean())
    pca = PCA(min(size, len(x) - 1), svd_solver="covariance_eigh").fit(x)
    return float(((pca.inverse_transform(pca.transform(x_test)) - x_test) ** 2).mean())
