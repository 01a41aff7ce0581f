"""Paths between two codes."""

import torch
from jaxtyping import Float
from torch import Tensor

PARALLEL = 1e-4  # sine of the angle below which the spherical path is divided by rounding errors


def linear(
    one: Float[Tensor, " d"], other: Float[Tensor, " d"], fraction: Float[Tensor, "k 1"]
) -> Float[Tensor, "k d"]:
    """The straight line: `one` at fraction 0, `other` at 1."""
    return torch.lerp(one, other, fraction)


def spherical(
    one: Float[Tensor, " d"], other: Float[Tensor, " d"], fraction: Float[Tensor, "k 1"]
) -> Float[Tensor, "k d"]:
    """Spherical linear interpolation (Shoemake 1985); linear between parallel codes."""
    cosine = torch.nn.functional.cosine_similarity(one, other, dim=0).clamp(-1, 1)
    angle = cosine.arccos()
    if float(angle.sin()) < PARALLEL:
        return linear(one, other, fraction)
    return (((1 - fraction) * angle).sin() * one + (fraction * angle).sin() * other) / angle.sin()
