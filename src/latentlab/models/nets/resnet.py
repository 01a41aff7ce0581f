"""Residual networks: a stream of feature maps to which blocks of two 3x3 convolutions add.

He et al., "Identity mappings in deep residual networks", 2016: the stream is changed by nothing but sums, and by the
convolutions that halve or double it. With group normalisation (Wu and He 2018), which has no statistics of a batch.
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
from latentlab.models.nets.base import Decoder, Encoder, joined
from latentlab.models.nets.initialization import gain_after, keeping_variance
from latentlab.models.nets.levels import channels_of, missing_pixels, sizes_of

MOST_GROUPS = 8
FEWEST_CHANNELS = 4  # of a group: less would leave little of a feature map of one pixel

Maps = Float[Tensor, "b c h w"]


@final
class ResidualBlock(nn.Module):
    """x + f(x), where f is twice: normalise, nonlinearity, 3x3 convolution (He et al. 2016, figure 4 e).

    scale: of f at the start, 1 / sqrt(n) for n blocks in a row: their sum then has a variance of order 1, as have the
        gradients (Hayou et al. 2021).
    """

    def __init__(self, channels: int, activation: Activation, scale: float) -> None:
        super().__init__()
        gain = gain_after(activation)
        self.residual = nn.Sequential(
            *normalized(channels, activation),
            keeping_variance(nn.Conv2d(channels, channels, 3, padding=1), gain),
            *normalized(channels, activation),
            keeping_variance(nn.Conv2d(channels, channels, 3, padding=1), gain * scale),
        )

    def forward(self, x: Maps) -> Maps:
        return x + self.residual(x)


@final
class ResNetEncoder(Encoder):
    """Per level a convolution of stride 2 and residual blocks; then a linear map of their output and the condition.

    widths: channels of the feature maps, from the image inwards; each level halves the image.
    levels: see `channels_of`.
    blocks: residual blocks per level.
    activation: in the blocks.

    Raises ValueError for widths that are empty, not positive or more than the image can be halved, for less than one
    block, and for an unknown activation.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        features: int,
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        blocks: int,
        activation: Activation,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)]
        height, width = sizes_of(image_shape, len(channels) - 1)[-1]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [
                keeping_variance(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)),
                *residual_blocks(outputs, blocks, len(channels) - 1, activation),
            ]
        self.stream = nn.Sequential(*layers, *normalized(channels[-1], activation))
        self.head = nn.Linear(channels[-1] * height * width + condition_features, features)

    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        return at_least_float32(self.head(joined(self.stream(x).flatten(1), condition)))


@final
class ResNetDecoder(Decoder):
    """A linear map of the code and the condition to the smallest feature map; then, per level, residual blocks and a
    transposed convolution of stride 2.

    widths: channels of the feature maps, from the image inwards; each level halves the image.
    levels: see `channels_of`.
    blocks: residual blocks per level.
    activation: in the blocks.

    Raises ValueError for widths that are empty, not positive or more than the image can be halved, for less than one
    block, and for an unknown activation.
    """

    def __init__(
        self,
        features: int,
        image_shape: tuple[int, int, int],
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        blocks: int,
        activation: Activation,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)][::-1]
        sizes = sizes_of(image_shape, len(channels) - 1)[::-1]
        self.smallest = (channels[0], *sizes[0])
        self.stem = nn.Linear(features + condition_features, prod(self.smallest))
        layers: list[nn.Module] = []
        for level, ((inputs, outputs), size) in enumerate(zip(pairwise(channels), sizes[1:], strict=True), 1):
            layers += residual_blocks(inputs, blocks, len(channels) - 1, activation)
            if level == len(channels) - 1:
                layers += normalized(inputs, activation)
            double = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=missing_pixels(*size))
            layers.append(keeping_variance(double))
        self.stream = nn.Sequential(*layers)

    def forward(self, z: Code, condition: Condition = None) -> Image:
        h = self.stem(joined(z, condition)).unflatten(1, self.smallest)
        return at_least_float32(self.stream(h))


def residual_blocks(channels: int, blocks: int, levels: int, activation: Activation) -> list[nn.Module]:
    """The blocks of one of so many levels.

    Raises ValueError for less than one block.
    """
    if blocks < 1:
        raise ValueError(f"blocks: expected at least 1, found {blocks}; 2 is usual")
    return [ResidualBlock(channels, activation, (blocks * levels) ** -0.5) for _ in range(blocks)]


def normalized(channels: int, activation: Activation) -> list[nn.Module]:
    """Group normalisation, then the nonlinearity.

    The groups have the same number of channels: at most `MOST_GROUPS`, of at least `FEWEST_CHANNELS` unless it is one.
    """
    most = max(1, min(MOST_GROUPS, channels // FEWEST_CHANNELS))
    groups = max(count for count in range(1, most + 1) if channels % count == 0)
    return [nn.GroupNorm(groups, channels), activation_named(activation)]
