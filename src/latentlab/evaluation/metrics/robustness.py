"""How much of a damaged image comes back, over kinds and strengths of damage."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.restoration import ssim_per_image
from latentlab.functional.batch import Batch
from latentlab.functional.corruption import Corruption, Gaussian, Masking, SaltAndPepper
from latentlab.functional.losses import mse_per_image, psnr_per_image
from latentlab.models.base import Autoencoder

DAMAGE: dict[str, dict[float, Corruption]] = {
    "gaussian": {sigma: Gaussian(sigma) for sigma in (0.1, 0.3, 0.5, 0.7)},
    "masking": {p: Masking(p) for p in (0.1, 0.25, 0.5, 0.75)},
    "salt_and_pepper": {p: SaltAndPepper(p) for p in (0.05, 0.1, 0.25, 0.5)},
}


def robustness(model: Autoencoder, loader: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """mse_KIND_STRENGTH (per pixel), psnr_... (dB) and ssim_...: of the restored against the clean image, peak 1.

    Means over the images; the noise is drawn anew for each kind and strength, the same in every run.
    """
    batches = list(loader)
    for kind, strengths in DAMAGE.items():
        for strength, corruption in strengths.items():
            figures = torch.cat([_measured(model, batch, corruption) for batch in batches], 1).double().mean(1)
            for name, figure in zip(("mse", "psnr", "ssim"), figures.tolist(), strict=True):
                yield f"{name}_{kind}_{strength:g}", figure


@torch.no_grad()
def _measured(model: Autoencoder, batch: Batch, corruption: Corruption) -> Float[Tensor, "3 b"]:
    restored = model.reconstruct(corruption(batch.x, batch.random), batch.y)
    return torch.stack([measure(batch.x, restored) for measure in (mse_per_image, psnr_per_image, ssim_per_image)])
