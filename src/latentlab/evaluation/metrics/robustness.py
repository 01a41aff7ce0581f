"""Robustness: the restoration of corrupted images, over kinds and strengths of corruption."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.restoration import ssim_per_image
from latentlab.functional.batch import Batch
from latentlab.functional.corruption import Corruption, Gaussian, Masking, SaltAndPepper
from latentlab.functional.losses import mse_per_image, psnr_per_image
from latentlab.models.base import Autoencoder

CORRUPTIONS: dict[str, dict[float, Corruption]] = {
    "gaussian": {sigma: Gaussian(sigma) for sigma in (0.1, 0.3, 0.5, 0.7)},
    "masking": {p: Masking(p) for p in (0.1, 0.25, 0.5, 0.75)},
    "salt_and_pepper": {p: SaltAndPepper(p) for p in (0.05, 0.1, 0.25, 0.5)},
}


def robustness(model: Autoencoder, loader: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """Means over the images, of the restored image with respect to the clean one, per KIND and STRENGTH of corruption:

    mse_KIND_STRENGTH: squared error per pixel; lower is better. psnr_mean_KIND_STRENGTH: in dB, for a peak of 1;
    higher is better. ssim_KIND_STRENGTH: structural similarity in [-1, 1], see `ssim_per_image`; higher is better.

    Each kind and strength has its own noise, which is the same in every run.
    """
    batches = list(loader)
    for kind, strengths in CORRUPTIONS.items():
        for strength, corruption in strengths.items():
            means = torch.cat([_measured(model, batch, corruption) for batch in batches], 1).double().mean(1)
            for name, mean in zip(("mse", "psnr_mean", "ssim"), means.tolist(), strict=True):
                yield f"{name}_{kind}_{strength:g}", mean


@torch.no_grad()
def _measured(model: Autoencoder, batch: Batch, corruption: Corruption) -> Float[Tensor, "3 b"]:
    restored = model.reconstruct(corruption(batch.x, batch.random), batch.y)
    return torch.stack([measure(batch.x, restored) for measure in (mse_per_image, psnr_per_image, ssim_per_image)])
