"""Sums and means over all devices of a run; plain arithmetic where there is one."""

import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.distributed.nn.functional import all_reduce


def is_shared() -> bool:
    """Whether several processes train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_over_devices(values: Tensor) -> Tensor:
    """The elementwise sum of `values` over all devices, without gradient; `values` itself stays as it is."""
    if not is_shared():
        return values
    total = values.detach().clone()
    dist.all_reduce(total)
    return total


def batch_mean(values: Float[Tensor, "b d"], size: int) -> Float[Tensor, " d"]:
    """The mean over the global batch of `size` rows, of which this device holds `b`; gradients flow to every device."""
    total = values.sum(0)
    return (all_reduce(total) if is_shared() else total) / size
