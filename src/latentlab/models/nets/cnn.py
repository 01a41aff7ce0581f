"""3x3 convolutions of stride 2, which halve the image, and transposed ones, which restore every size exactly."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.activations import activation_named
from latentlab.models.nets.base import Decoder, Encoder, checked_widths, joined

SIDE_WITHOUT_FURTHER_LEVELS = 32  # pixels


@final
class CNNEncoder(Encoder):
    """One convolution per level, then a linear map of their output and the condition.

    widths: channels of the feature maps, from the image inwards; each level halves the image.
    levels: see `channels_of`.
    activation: of the feature maps: elu, gelu, leaky_relu, relu, sigmoid, silu, softplus or tanh.

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
        activation: str,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)]
        height, width = _sizes(image_shape, len(channels) - 1)[-1]
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
    activation: of the feature maps: elu, gelu, leaky_relu, relu, sigmoid, silu, softplus or tanh.

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
        activation: str,
        levels: int | None = None,
    ) -> None:
        super().__init__()
        channels = [image_shape[0], *channels_of(widths, image_shape, levels)][::-1]
        sizes = _sizes(image_shape, len(channels) - 1)[::-1]
        self.smallest = (channels[0], *sizes[0])
        self.stem = nn.Linear(features + condition_features, prod(self.smallest))
        layers: list[nn.Module] = []
        for (inputs, outputs), (height, width) in zip(pairwise(channels), sizes[1:], strict=True):
            # ceil(n / 2) pixels become 2 ceil(n / 2) - 1, which is n - 1 where n is even
            missing = (1 - height % 2, 1 - width % 2)
            layers += [
                activation_named(activation),
                nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=missing),
            ]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, z: Code, condition: Condition = None) -> Image:
        h = self.stem(joined(z, condition)).unflatten(1, self.smallest)
        return at_least_float32(self.convolutions(h))


def channels_of(widths: Sequence[int], image_shape: tuple[int, int, int], levels: int | None = None) -> list[int]:
    """The channels of each level, which halves the image.

    widths: of the first levels; each further one has twice the channels of the one before.
    levels: None for one per width, and for a shorter side above 32 pixels at least two and one more for each doubling:
        the smallest feature map, whose linear map has most of the parameters, does not grow with the image.

    Raises:
        ValueError: no widths, or widths that are not positive; or fewer levels than widths.
    """
    channels = [*checked_widths(widths)]
    doublings = ((min(image_shape[1:]) - 1) // SIDE_WITHOUT_FURTHER_LEVELS).bit_length()
    wanted = levels if levels is not None else max(len(channels), 2 + doublings if doublings else 0)
    if wanted < len(channels):
        raise ValueError(f"levels: expected at least one per width, {len(channels)}, found {levels}")
    return channels + [channels[-1] * 2**k for k in range(1, wanted - len(channels) + 1)]


def _sizes(image_shape: tuple[int, int, int], halvings: int) -> list[tuple[int, int]]:
    """Height and width of the image and after each halving; an odd side is rounded up.

    Raises ValueError where the shorter side is one pixel before the last halving.
    """
    _, height, width = image_shape
    most = (min(height, width) - 1).bit_length()
    if halvings > most:
        raise ValueError(
            f"widths: expected at most {most} widths or levels, as each halves the {height}x{width} image, "
            f"found {halvings}; drop {halvings - most}"
        )
    return [(-(-height // 2**k), -(-width // 2**k)) for k in range(halvings + 1)]
