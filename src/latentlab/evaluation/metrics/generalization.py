"""The generalization gap: the error on test images minus that on training images."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import Batch
from latentlab.functional.losses import mse_per_image
from latentlab.models.base import Autoencoder


def generalization(
    model: Autoencoder, train: Iterable[Batch], train_z: Float[Tensor, "n d"], test_errors: Float[Tensor, " m"]
) -> Iterator[tuple[str, float]]:
    """mse_train: squared error per pixel on the training images. mse_generalization_gap: that on the test images minus
    mse_train.

    Lower is better for both. train_z: codes of the training images, in the order of `train`.
    test_errors: see `reconstruction_errors`.
    """
    train_error = float(_decoding_errors(model, train, train_z).double().mean())
    yield "mse_train", train_error
    yield "mse_generalization_gap", float(test_errors.double().mean()) - train_error


@torch.no_grad()
def _decoding_errors(model: Autoencoder, batches: Iterable[Batch], z: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    errors, done = [], 0
    for batch in batches:
        codes = z[done : done + len(batch.y)]
        errors.append(mse_per_image(batch.x, model.decode(codes, batch.y)))
        done += len(codes)
    return torch.cat(errors)
