"""Foreign images, out of the training distribution: their reconstruction error, and how well it detects them."""

from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Float
from sklearn.metrics import roc_auc_score
from torch import Tensor

from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder

Images = Float[Tensor, "b c h w"]


def inverted(x: Images) -> Images:
    """1 - x."""
    return 1 - x


def rotated(x: Images) -> Images:
    """Rotated by 90 degrees, images that are not square by 180 degrees."""
    return x.rot90(1 if x.shape[-1] == x.shape[-2] else 2, (-2, -1))


def shuffled(x: Images) -> Images:
    """The pixels in a random order that is the same for all images."""
    pixels = x[0].numel()
    order = torch.randperm(pixels, generator=torch.Generator().manual_seed(0)).to(x.device)
    return x.flatten(1)[:, order].view_as(x)


FOREIGN: dict[str, Callable[[Images], Images]] = {"inverted": inverted, "rotated": rotated, "shuffled": shuffled}


def foreign_images(
    model: Autoencoder, loader: Iterable[Batch], own_errors: Float[Tensor, " n"]
) -> Iterator[tuple[str, float]]:
    """mse_KIND: squared error per pixel of the test images transformed by `FOREIGN`.

    auroc_KIND: area under the ROC curve of the error as a detector of foreign images (Hanley and McNeil 1982): the
    probability that a foreign image has a larger error than a test image; higher is better, 0.5 is chance.

    own_errors: of the images of `loader`, see `reconstruction_errors`.
    """
    batches, own = list(loader), own_errors.cpu()
    for name, transform in FOREIGN.items():
        foreign = reconstruction_errors(model, ((transform(batch.x), batch.y) for batch in batches)).cpu()
        yield f"mse_{name}", float(foreign.double().mean())
        is_foreign = torch.cat((torch.zeros_like(own), torch.ones_like(foreign)))
        yield f"auroc_{name}", float(roc_auc_score(is_foreign.numpy(), torch.cat((own, foreign)).numpy()))
