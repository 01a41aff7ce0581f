"""Fully connected layers with a nonlinearity between them.

Kingma and Welling, "Auto-encoding variational Bayes", 2014, appendix C. The example of PyTorch has widths [400], 20
latent units and relu.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.activations import Activation, activation_named
from latentlab.models.nets.base import Decoder, Encoder, checked_widths, joined
from latentlab.models.nets.initialization import Initialization, initialized


@final
class MLPEncoder(Encoder):
    """All pixels, and the condition, through layers of `widths` (which may be empty) to the features.

    widths: units of the hidden layers, from the image inwards.
    activation: of the hidden layers.
    initialization: of the weights: torch for its own, orthogonal for deep networks (Saxe et al. 2014).

    Raises ValueError for a width that is not positive and for an unknown activation.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        features: int,
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
        initialization: Initialization = "torch",
    ) -> None:
        super().__init__()
        hidden = checked_widths(widths, may_be_empty=True)
        self.layers = _dense([prod(image_shape) + condition_features, *hidden, features], activation, initialization)

    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        return at_least_float32(self.layers(joined(x.flatten(1), condition)))


@final
class MLPDecoder(Decoder):
    """The code, and the condition, through layers of `widths` from last to first to all pixels.

    widths: units of the hidden layers, from the image inwards.
    activation: of the hidden layers.
    initialization: of the weights: torch for its own, orthogonal for deep networks (Saxe et al. 2014).

    Raises ValueError for a width that is not positive and for an unknown activation.
    """

    def __init__(
        self,
        features: int,
        image_shape: tuple[int, int, int],
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
        initialization: Initialization = "torch",
    ) -> None:
        super().__init__()
        hidden = checked_widths(widths, may_be_empty=True)[::-1]
        self.image_shape = image_shape
        self.layers = _dense([features + condition_features, *hidden, prod(image_shape)], activation, initialization)

    def forward(self, z: Code, condition: Condition = None) -> Image:
        return at_least_float32(self.layers(joined(z, condition))).unflatten(1, self.image_shape)


def _dense(sizes: list[int], activation: Activation, initialization: Initialization) -> nn.Sequential:
    """Linear layers between neighbouring sizes, the activation after each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [initialized(nn.Linear(inputs, outputs), activation, initialization), activation_named(activation)]
    return nn.Sequential(*layers[:-1])
