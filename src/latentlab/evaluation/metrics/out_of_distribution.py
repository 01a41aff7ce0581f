"""Out-of-distribution (OOD) detection by the reconstruction error, on transformed test images."""

from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Float
from sklearn.metrics import roc_auc_score
from torch import Tensor

from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from latentlab.functional.batch import Batch, Image
from latentlab.models.base import Autoencoder


def inverted(x: Image) -> Image:
    """1 - x."""
    return 1 - x


def rotated(x: Image) -> Image:
    """Rotated by 90 degrees, images that are not square by 180 degrees."""
    return x.rot90(1 if x.shape[-1] == x.shape[-2] else 2, (-2, -1))


def shuffled(x: Image) -> Image:
    """The pixels in a random order that is the same for all images."""
    pixels = x[0].numel()
    order = torch.randperm(pixels, generator=torch.Generator().manual_seed(0)).to(x.device)
    return x.flatten(1)[:, order].view_as(x)


TRANSFORMATIONS: dict[str, Callable[[Image], Image]] = {"inverted": inverted, "rotated": rotated, "shuffled": shuffled}


def out_of_distribution(
    model: Autoencoder, loader: Iterable[Batch], test_errors: Float[Tensor, " n"]
) -> Iterator[tuple[str, float]]:
    """mse_KIND: squared error per pixel of the test images transformed by `TRANSFORMATIONS`.

    auroc_KIND: area under the ROC curve of the error as a detector of them (Hanley and McNeil 1982): the
    probability that a transformed image has a larger error than a test image; higher is better, 0.5 is chance.

    test_errors: of the images of `loader`, see `reconstruction_errors`.
    """
    batches, own = list(loader), test_errors.cpu()
    for name, transform in TRANSFORMATIONS.items():
        errors = reconstruction_errors(model, ((transform(batch.x), batch.y) for batch in batches)).cpu()
        yield f"mse_{name}", float(errors.double().mean())
        is_transformed = torch.cat((torch.zeros_like(own), torch.ones_like(errors)))
        yield f"auroc_{name}", float(roc_auc_score(is_transformed.numpy(), torch.cat((own, errors)).numpy()))
