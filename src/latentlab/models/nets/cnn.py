"""3x3 convolutions of stride 2, which halve the image, and transposed ones, which restore every size exactly."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.activations import Activation, activation_named
from latentlab.models.nets.base import Decoder, Encoder, joined
from latentlab.models.nets.levels import channels_of, missing_pixels, sizes_of


@final
class CNNEncoder(Encoder):
    """One convolution per level, then a linear map of their output and the condition.

    widths: channels of the feature maps, from the image inwards; each level halves the image.
    levels: see `channels_of`.
    activation: of the feature maps.

    Raises ValueError for widths that are empty, not positive or more than the image can be halved, and for
    an unknown activation.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        features: int,
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)]
        height, width = sizes_of(image_shape, len(channels) - 1)[-1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), activation_named(activation)]
        self.convolutions = nn.Sequential(*layers)
        self.head = nn.Linear(channels[-1] * height * width + condition_features, features)

    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        return at_least_float32(self.head(joined(self.convolutions(x).flatten(1), condition)))


@final
class CNNDecoder(Decoder):
    """A linear map of the code and the condition to the smallest feature map, then transposed convolutions.

    widths: channels of the feature maps, from the image inwards; each level halves the image.
    levels: see `channels_of`.
    activation: of the feature maps.

    Raises ValueError for widths that are empty, not positive or more than the image can be halved, and for
    an unknown activation.
    """

    def __init__(
        self,
        features: int,
        image_shape: tuple[int, int, int],
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)][::-1]
        sizes = sizes_of(image_shape, len(channels) - 1)[::-1]
        self.smallest = (channels[0], *sizes[0])
        self.stem = nn.Linear(features + condition_features, prod(self.smallest))
        layers: list[nn.Module] = []
        for (inputs, outputs), (height, width) in zip(pairwise(channels), sizes[1:], strict=True):
            missing = missing_pixels(height, width)
            layers += [
                activation_named(activation),
                nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=missing),
            ]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, z: Code, condition: Condition = None) -> Image:
        h = self.stem(joined(z, condition)).unflatten(1, self.smallest)
        return at_least_float32(self.convolutions(h))
