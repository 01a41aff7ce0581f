"""How much better a model does on the images it was trained on."""

from collections.abc import Iterable, Iterator

from latentlab.batch import Batch
from latentlab.metrics.reconstruction import reconstruction_errors
from latentlab.models.base import Autoencoder


def generalization(model: Autoencoder, loader: Iterable[Batch], train: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """mse_train: error per pixel on the training images. mse_gap: that of `loader`'s images less it."""
    of_train = _error(model, train)
    yield "mse_train", of_train
    yield "mse_gap", _error(model, loader) - of_train


def _error(model: Autoencoder, loader: Iterable[Batch]) -> float:
    return float(reconstruction_errors(model, ((batch.x, batch.y) for batch in loader)).double().mean())
