"""What a network without a bottleneck makes of the corruption that a denoising variant is trained on."""

from collections.abc import Iterable, Iterator

from latentlab.evaluation.metrics.restoration import BASELINE, Restorer, restoration
from latentlab.functional.batch import Batch
from latentlab.functional.corruption import Corruption


def denoising_ceiling(
    denoiser: Restorer, loader: Iterable[Batch], corruption: Corruption
) -> Iterator[tuple[str, float]]:
    """`restoration` by the reference denoiser, of the same corrupted images; higher is better:

    psnr_mean_ceiling, psnr_of_mean_ceiling, ssim_ceiling.
    """
    for name, value in restoration(denoiser, loader, corruption):
        if not name.endswith(BASELINE):
            yield f"{name}_ceiling", value
