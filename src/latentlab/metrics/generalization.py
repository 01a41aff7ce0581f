"""How much better a model does on the images it was trained on."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.batch import Batch
from latentlab.losses import mse_per_image
from latentlab.metrics.reconstruction import reconstruction_errors
from latentlab.models.base import Autoencoder


def generalization(
    model: Autoencoder, loader: Iterable[Batch], train: Iterable[Batch], train_z: Float[Tensor, "n d"]
) -> Iterator[tuple[str, float]]:
    """mse_train: error per pixel on the training images. mse_gap: that of `loader`'s images less it.

    train_z: the codes of the training images, in the order of `train`.
    """
    of_train = float(_decoding_errors(model, train, train_z).double().mean())
    of_test = reconstruction_errors(model, ((batch.x, batch.y) for batch in loader))
    yield "mse_train", of_train
    yield "mse_gap", float(of_test.double().mean()) - of_train


@torch.no_grad()
def _decoding_errors(model: Autoencoder, batches: Iterable[Batch], z: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    errors, done = [], 0
    for batch in batches:
        codes = z[done : done + len(batch.y)]
        errors.append(mse_per_image(batch.x, model.generate(codes, batch.y)))
        done += len(codes)
    return torch.cat(errors)
