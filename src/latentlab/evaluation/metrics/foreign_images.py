"""An autoencoder compresses what it was trained on: how much worse it is on foreign images."""

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
    """White for black."""
    return 1 - x


def rotated(x: Images) -> Images:
    """A quarter of a turn, for square images; half a turn for others."""
    return x.rot90(1 if x.shape[-1] == x.shape[-2] else 2, (-2, -1))


def shuffled(x: Images) -> Images:
    """The pixels in another order, the same for all images: their statistics without their shapes."""
    pixels = x[0].numel()
    order = torch.randperm(pixels, generator=torch.Generator().manual_seed(0)).to(x.device)
    return x.flatten(1)[:, order].view_as(x)


FOREIGN: dict[str, Callable[[Images], Images]] = {"inverted": inverted, "rotated": rotated, "shuffled": shuffled}


def data_specific(
    model: Autoencoder, loader: Iterable[Batch], own_errors: Float[Tensor, " n"]
) -> Iterator[tuple[str, float]]:
    """mse_KIND: error per pixel on the test images made foreign.

    auroc_KIND: chance that a foreign image has a larger error than one of the model's own: how well the error tells
    foreign images; 0.5 is guessing.

    own_errors: of the images that `loader` gives, see `reconstruction_errors`.
    """
    batches, own = list(loader), own_errors.cpu()
    for name, made_foreign in FOREIGN.items():
        foreign = reconstruction_errors(model, ((made_foreign(batch.x), batch.y) for batch in batches)).cpu()
        yield f"mse_{name}", float(foreign.double().mean())
        is_foreign = torch.cat((torch.zeros_like(own), torch.ones_like(foreign)))
        yield f"auroc_{name}", float(roc_auc_score(is_foreign.numpy(), torch.cat((own, foreign)).numpy()))
