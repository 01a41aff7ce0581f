"""Random draws that depend only on a seed and a position in the data, not on history or the number of devices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


def seed_from(*keys: int | str) -> int:
    """A 63-bit hash of the keys, such as (seed, stage, epoch, batch), as a seed."""
    digest = hashlib.blake2b("/".join(map(str, keys)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@final
@dataclass(frozen=True)
class Share:
    """Which rows of a global batch this device holds: `rank`, `rank + world_size`, ... of `rows` rows."""

    rows: int
    rank: int = 0
    world_size: int = 1


class RandomSource:
    """Normal and uniform draws for one batch.

    Where the batch is divided among devices, each device draws for the whole global batch and keeps its own rows,
    so that several devices use the same noise as one.

    seed: None for draws from torch's global generator, whose state they advance.
    """

    def __init__(self, seed: int | None, device: torch.device | str = "cpu", share: Share | None = None) -> None:
        self._generator = None if seed is None else torch.Generator(device).manual_seed(seed)
        self._share = share

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal draws of the shape, dtype and device of `like`, whose first axis is the batch."""
        return self._draw(torch.randn, like)

    def uniform(self, like: Tensor) -> Tensor:
        """Uniform draws in [0, 1) of the shape, dtype and device of `like`, whose first axis is the batch."""
        return self._draw(torch.rand, like)

    def _draw(self, draw: Callable[..., Tensor], like: Tensor) -> Tensor:
        share = self._share
        options = {"generator": self._generator, "dtype": like.dtype, "device": like.device}
        if share is None or share.world_size == 1:
            return draw(like.shape, **options)
        whole = draw((share.rows, *like.shape[1:]), **options)
        return whole[share.rank :: share.world_size]
