"""Denoising: how well corrupted images are restored."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from latentlab.functional.batch import AnyLabel, Batch, Image
from latentlab.functional.corruption import Corruption
from latentlab.functional.distributed import sum_over_devices
from latentlab.functional.losses import mse_per_image, psnr
from latentlab.functional.precision import widest

IMAGES_AT_ONCE = 100  # on a CPU 2.5 times as fast as 1,000, whose windows exceed the cache
GAUSSIAN_WINDOW = 11  # pixels, sigma 1.5: Wang et al. 2004
BASELINE = "_clipped_input"  # ends the names of the corrupted images' own metrics


@runtime_checkable
class Restorer(Protocol):
    """What restores images: a variant, or another network."""

    @property
    def device(self) -> torch.device: ...

    def reconstruct(self, x: Image, y: AnyLabel = None) -> Image:
        """The expected clean images of corrupted ones, (B, C, H, W)."""


def restoration(model: Restorer, loader: Iterable[Batch], corruption: Corruption) -> Iterator[tuple[str, float]]:
    """Means over a whole split, on all devices together, with respect to the clean images; higher is better:

    psnr_mean: mean over the images of the peak signal-to-noise ratio of the restored image, in dB, for a peak of 1.
    psnr_of_mean: that of the mean squared error over all images, which is lower, as the logarithm is concave.
    ssim: structural similarity of the restored image, in [-1, 1], see `ssim_per_image`.
    psnr_mean_clipped_input, psnr_of_mean_clipped_input, ssim_clipped_input: the same of the corrupted image itself, as
        a baseline. All are of values clipped to [0, 1], while the model is given the corrupted image as it is.

    The noise is drawn from `batch.random`, so that it is the same in every evaluation of a split.
    """
    count, *sums = sum_over_devices(_sums(model, loader, corruption)).unbind()
    for of, (ratios, errors, similarities) in (("", sums[:3]), (BASELINE, sums[3:])):
        yield f"psnr_mean{of}", float(ratios / count)
        yield f"psnr_of_mean{of}", float(psnr(errors / count))
        yield f"ssim{of}", float(similarities / count)


def ssim_per_image(x: Float[Tensor, "b c h w"], x_hat: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Structural similarity of images in [0, 1], (B,); values of `x_hat` outside are clamped.

    Wang et al. 2004, equation 13, with their Gaussian window of 11 pixels. Smaller images have a uniform window of the
    largest odd width that fits: 7 for the digits of 8 x 8.
    """
    chunks = zip(x.split(IMAGES_AT_ONCE), x_hat.clamp(0, 1).to(x.dtype).split(IMAGES_AT_ONCE), strict=True)
    return torch.cat([_similarity(clean, other) for clean, other in chunks])


def _similarity(x: Float[Tensor, "b c h w"], x_hat: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    shorter = min(x.shape[-2:])
    similarity = structural_similarity_index_measure(
        x_hat,
        x,
        gaussian_kernel=shorter >= GAUSSIAN_WINDOW,
        kernel_size=shorter - 1 + shorter % 2,
        data_range=1.0,
        reduction="none",
    )
    assert isinstance(similarity, Tensor)
    return similarity.reshape(len(x))


@torch.no_grad()
def _sums(model: Restorer, loader: Iterable[Batch], corruption: Corruption) -> Float[Tensor, " 7"]:
    """The number of images, and the sums over them of PSNR, error and SSIM of the restored and the corrupted ones."""
    totals = torch.zeros(7, dtype=widest(model.device), device=model.device)
    for batch in loader:
        if len(batch.x) == 0:
            continue
        noisy = corruption(batch.x, batch.random)
        restored = model.reconstruct(noisy, batch.y)
        metrics = [torch.ones_like(batch.x[:, 0, 0, 0])]
        for image in (restored.clamp(0, 1), noisy.clamp(0, 1)):
            error = mse_per_image(batch.x, image)
            metrics += [psnr(error), error, ssim_per_image(batch.x, image)]
        totals = totals + torch.stack([values.to(totals.dtype).sum() for values in metrics])
    return totals
