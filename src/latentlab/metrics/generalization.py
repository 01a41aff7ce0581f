"""How much better a model does on the images it was trained on."""

from collections.abc import Iterable, Iterator

import torch

from latentlab.batch import Batch
from latentlab.losses import mse_per_image
from latentlab.models.base import Autoencoder


def generalization(model: Autoencoder, loader: Iterable[Batch], train: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """mse_train: error per pixel on the training images. mse_gap: that of `loader`'s images less it."""
    of_train = _error(model, train)
    yield "mse_train", of_train
    yield "mse_gap", _error(model, loader) - of_train


@torch.no_grad()
def _error(model: Autoencoder, loader: Iterable[Batch]) -> float:
    return float(torch.cat([mse_per_image(b.x, model.reconstruct(b.x, b.y)) for b in loader]).double().mean())
