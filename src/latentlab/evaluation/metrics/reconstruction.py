"""The reconstruction error of each image."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.functional.losses import mse_per_image
from latentlab.models.base import Autoencoder


@torch.no_grad()
def reconstruction_errors(
    model: Autoencoder, batches: Iterable[tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"]]]
) -> Float[Tensor, " n"]:
    """Squared error per pixel of each image of all batches (images, labels), (N,); lower is better."""
    return torch.cat([mse_per_image(x, model.reconstruct(x, y)) for x, y in batches])
