"""What the code takes, and what as many numbers of a linear code would leave of the images."""

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
    """On the split that `loader` gives; `codes` and `train` are of the training images:

    code_size: numbers in a code. code_bits: bits, with eight a number.
    mse_quantized: error per pixel where each unit is rounded to 256 levels between its least and greatest
        value on the training images: what these bits are worth.
    mse_pca: error per pixel of as many principal components of the training images, unrounded; left out where the
        code is at least as long as the image.
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
    return mse_per_image(batch.x, model.generate(z, batch.y))


def quantized(
    z: Float[Tensor, "b d"], low: Float[Tensor, " d"], high: Float[Tensor, " d"], levels: int = LEVELS
) -> Float[Tensor, "b d"]:
    """Each unit rounded to the nearest of so many levels from low to high; values outside are clamped."""
    width = ((high - low) / (levels - 1)).clamp_min(torch.finfo(z.dtype).tiny)
    return low + ((z - low) / width).round().clamp(0, levels - 1) * width


def pca_error(train: Float[Tensor, "n c h w"], test: Float[Tensor, "m c h w"], size: int) -> float:
    """Squared error per pixel of the test images, restored from the first `size` principal components of `train`."""
    x, x_test = (images.flatten(1).cpu().numpy() for images in (train, test))
    pca = PCA(min(size, len(x) - 1), svd_solver="covariance_eigh").fit(x)
    return float(((pca.inverse_transform(pca.transform(x_test)) - x_test) ** 2).mean())
