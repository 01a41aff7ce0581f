"""Sums and means over all devices of a run; on one device without communication."""

from typing import Any, final

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import Code


def number_of_devices() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_shared() -> bool:
    """Whether several processes train together."""
    return number_of_devices() > 1


def sum_over_devices(values: Tensor) -> Tensor:
    """The elementwise sum of `values` over all devices, without gradient; `values` itself is not changed."""
    if not is_shared():
        return values
    total = values.detach().clone()
    dist.all_reduce(total)
    return total


def batch_mean(values: Code, size: int) -> Float[Tensor, " d"]:
    """The mean over the global batch of `size` rows, of which this device holds `b`; gradients reach every device."""
    total = values.sum(0)
    return (_SumOverDevices.apply(total) if is_shared() else total) / size


@final
class _SumOverDevices(torch.autograd.Function):
    """A sum whose gradient is the sum of the devices' gradients: each device's result depends on all inputs."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return sum_over_devices(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return sum_over_devices(gradients[0])
