"""The interface of encoders and decoders, and functions that all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image


class Encoder(nn.Module, ABC):
    """Images to raw features: a code, or the parameters of a posterior."""

    @abstractmethod
    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        """The features of images `x`, with no final nonlinearity, in float32 or wider.

        `condition` is given exactly where the encoder was built with `condition_features` = k > 0.
        """


class Decoder(nn.Module, ABC):
    """Latent codes to raw likelihood parameters, one per pixel."""

    def tie_to(self, encoder: Encoder) -> None:
        """Share parameters with the encoder; called after both are built."""

    @abstractmethod
    def forward(self, z: Code, condition: Condition = None) -> Image:
        """The likelihood parameters of codes `z`, with no final nonlinearity, in float32 or wider.

        `condition` is given exactly where the decoder was built with `condition_features` = k > 0.
        """


def joined(h: Float[Tensor, "*b f"], condition: Float[Tensor, "*b k"] | None) -> Float[Tensor, "*b g"]:
    """`h` followed by the condition's features; `h` itself where there is no condition."""
    return h if condition is None else torch.cat([h, condition.to(h.dtype)], dim=-1)


def checked_widths(widths: Sequence[int], may_be_empty: bool = False) -> list[int]:
    """The widths as a list.

    Raises ValueError where a width is not positive, or where there is none although one is needed.
    """
    found = list(widths)
    if not found and not may_be_empty:
        raise ValueError("widths: expected at least one width, found []; try [64]")
    if any(width < 1 for width in found):
        raise ValueError(f"widths: expected positive numbers, found {found}; try [64]")
    return found
