"""Tied weights: a linear decoder with the transposed weights of the encoder, as in classic sparse coding.

Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010; Makhzani and Frey, "k-Sparse autoencoders", 2014.
"""

from math import prod
from typing import final

import torch
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.base import Decoder, Encoder
from latentlab.models.nets.linear import LinearEncoder


@final
class TiedDecoder(Decoder):
    """The code to all pixels by the transposed weights of a `LinearEncoder`, passed by `tie_to`.

    Of a posterior's parameters, the mean's weights are shared. Biases and the condition's weights are not.
    """

    weight: Tensor

    def __init__(self, features: int, image_shape: tuple[int, int, int], condition_features: int = 0) -> None:
        super().__init__()
        self.features, self.image_shape = features, image_shape
        self.bias = nn.Parameter(torch.zeros(prod(image_shape)))
        self.from_condition = nn.Linear(condition_features, prod(image_shape), False) if condition_features else None

    def tie_to(self, encoder: Encoder) -> None:
        """Use the encoder's weight matrix, (features or more, pixels or more); ValueError where it has none."""
        if not isinstance(encoder, LinearEncoder):
            raise ValueError(f"tied weights need a LinearEncoder, found {type(encoder).__name__}; choose net=tied")
        self.weight = encoder.layer.weight

    def forward(self, z: Code, condition: Condition = None) -> Image:
        pixels = nn.functional.linear(z, self.weight[: self.features, : len(self.bias)].T, self.bias)
        if condition is not None and self.from_condition is not None:
            pixels = pixels + self.from_condition(condition.to(pixels.dtype))
        return at_least_float32(pixels).unflatten(1, self.image_shape)
