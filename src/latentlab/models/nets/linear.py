"""One linear layer each for encoder and decoder: with them an autoencoder is a principal component analysis.

Baldi and Hornik, "Neural networks and principal component analysis", Neural Networks 2, 1989.
"""

from math import prod
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.base import Decoder, Encoder, joined


@final
class LinearEncoder(Encoder):
    """All pixels, and the condition, to the features."""

    def __init__(self, image_shape: tuple[int, int, int], features: int, condition_features: int = 0) -> None:
        super().__init__()
        self.layer = nn.Linear(prod(image_shape) + condition_features, features)

    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        return at_least_float32(self.layer(joined(x.flatten(1), condition)))


@final
class LinearDecoder(Decoder):
    """The code, and the condition, to all pixels."""

    def __init__(self, features: int, image_shape: tuple[int, int, int], condition_features: int = 0) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.layer = nn.Linear(features + condition_features, prod(image_shape))

    def forward(self, z: Code, condition: Condition = None) -> Image:
        return at_least_float32(self.layer(joined(z, condition))).unflatten(1, self.image_shape)
