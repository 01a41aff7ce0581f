"""Data types for sums over pixels and for exponentials of half-precision outputs of a network."""

import torch
from jaxtyping import Float
from torch import Tensor


def at_least_float32(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The values as float32, or unchanged where they are more precise."""
    # asked of most tensors of a step, nearly all of which are
    is_float32 = values.dtype == torch.float32
    return values if is_float32 else values.to(torch.promote_types(values.dtype, torch.float32))


def widest(device: torch.device) -> torch.dtype:
    """The data type for sums of many terms: float64, which Apple's GPUs do not support."""
    return torch.float32 if device.type == "mps" else torch.float64
