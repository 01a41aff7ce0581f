"""Corruption of images, for denoising. Its random source is an argument: the same seed gives the same noise."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch

from latentlab.functional.batch import Image
from latentlab.functional.randomness import RandomSource


class Corruption(ABC):
    """A way to corrupt images."""

    @abstractmethod
    def __call__(self, x: Image, random: RandomSource) -> Image:
        """The corrupted images, of the shape of `x`, (B, C, H, W); `x` is not changed."""


@final
@dataclass(frozen=True)
class Gaussian(Corruption):
    """Normal noise of standard deviation `sigma` on every value. The result is not clamped to [0, 1].

    sigma: in grey levels of [0, 1].

    Raises ValueError for a negative sigma.
    """

    sigma: float

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma: expected a number of at least 0, found {self.sigma}; try 0.3")

    def __call__(self, x: Image, random: RandomSource) -> Image:
        return x + self.sigma * random.normal(x)


@final
@dataclass(frozen=True)
class Masking(Corruption):
    """Every value is set to 0 with probability `p`, independently: Vincent et al. 2010.

    p: from 0 to 1.

    Raises ValueError for a `p` outside [0, 1].
    """

    p: float

    def __post_init__(self) -> None:
        _check_probability(self.p)

    def __call__(self, x: Image, random: RandomSource) -> Image:
        return torch.where(random.uniform(x) < self.p, 0.0, x)


@final
@dataclass(frozen=True)
class SaltAndPepper(Corruption):
    """Every value is replaced with probability `p`, independently, half by 0 and half by 1: Vincent et al. 2010.

    p: from 0 to 1.

    Raises ValueError for a `p` outside [0, 1].
    """

    p: float

    def __post_init__(self) -> None:
        _check_probability(self.p)

    def __call__(self, x: Image, random: RandomSource) -> Image:
        uniform = random.uniform(x)
        salt = (uniform >= self.p / 2).to(x.dtype)
        return torch.where(uniform < self.p, salt, x)


@final
@dataclass(frozen=True)
class Mixed(Corruption):
    """Several corruptions in order, each with new draws.

    parts: the corruptions.

    Raises ValueError where `parts` is empty.
    """

    parts: Sequence[Corruption]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts: expected one corruption or more, found none")
        object.__setattr__(self, "parts", tuple(self.parts))  # Hydra passes a list type of its own

    def __call__(self, x: Image, random: RandomSource) -> Image:
        for part in self.parts:
            x = part(x, random)
        return x


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected a probability from 0 to 1, found {p}; try 0.3")
