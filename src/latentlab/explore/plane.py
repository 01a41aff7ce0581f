"""A plane, or a line, through the latent space: where each code lies on it, and the code of each of its places."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.figures.latent_plane import principal_axes


@final
@dataclass(frozen=True, eq=False)
class Plane:
    """The orthonormal axes of a plane, or the axis of a line, through a code that is chosen when it is walked on.

    centre: the code whose place is 0, (D,). axes: (D, K), K = 1 or 2. names: of the axes.
    """

    centre: Float[Tensor, " d"]
    axes: Float[Tensor, "d k"]
    names: tuple[str, ...]

    def places(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """The places of codes: their orthogonal projections."""
        return (z - self.centre) @ self.axes

    def codes(self, places: Float[Tensor, "n k"], through: Float[Tensor, " d"]) -> Float[Tensor, "n d"]:
        """The codes of places on the plane through a code: this code is that of its own place."""
        return through + (places - self.places(through.unsqueeze(0))) @ self.axes.T


def unit_plane(latent_dim: int, units: tuple[int, ...]) -> Plane:
    """Two units of the code, or one."""
    axes = torch.zeros(latent_dim, len(units))
    axes[list(units), range(len(units))] = 1.0
    return Plane(torch.zeros(latent_dim), axes, tuple(f"code unit {unit}" for unit in units))


def principal_plane_of(z: Float[Tensor, "n d"]) -> Plane:
    """The first two principal components of codes of two units or more."""
    axes, fractions = principal_axes(z.double())
    names = (f"component {i + 1} ({share:.0%} of variance)" for i, share in enumerate(fractions.tolist()))
    return Plane(z.mean(0), axes.to(z), tuple(names))


@final
@dataclass(frozen=True, eq=False)
class Density:
    """How dense codes are at a place, as a share of the densest code's surroundings: a Gaussian kernel's estimate.

    The width of the kernel is Scott's (1992) for each axis. places: of the codes, (N, K).
    """

    places: Float[Tensor, "n k"]

    def at(self, place: Float[Tensor, "m k"]) -> Float[Tensor, " m"]:
        """From 0 to about 1, (M,)."""
        return self._kernel(place) / self._highest

    def _kernel(self, place: Float[Tensor, "m k"]) -> Float[Tensor, " m"]:
        count, axes = self.places.shape
        width = self.places.std(0, correction=0).clamp_min(1e-9) * count ** (-1 / (axes + 4))
        distance = ((place.unsqueeze(1) - self.places) / width).square().sum(2)
        return (-0.5 * distance).exp().sum(1)

    @cached_property
    def _highest(self) -> float:
        return max(float(self._kernel(some).max()) for some in self.places.split(500))


def bounds(places: Float[Tensor, "n k"]) -> list[tuple[float, float]]:
    """The range of each axis that holds the codes, with a margin of 8 %."""
    found = []
    for low, high in zip(places.amin(0).tolist(), places.amax(0).tolist(), strict=True):
        margin = 0.08 * (high - low) or 1.0
        found.append((low - margin, high + margin))
    return found


def grid(spans: list[tuple[float, float]], side: int) -> Float[Tensor, "n k"]:
    """side^K places over the spans, row by row from the top left; of a line from left to right."""
    across = torch.linspace(*spans[0], side)
    if len(spans) == 1:
        return across.unsqueeze(1)
    up = torch.linspace(*spans[1], side).flip(0)
    return torch.stack((across.repeat(side), up.repeat_interleave(side)), 1)


def cells(spans: list[tuple[float, float]], side: int) -> list[tuple[float, float]]:
    """The spans between the centres of the outermost of `side` cells that fill the given ones."""
    return [(low + (high - low) / side / 2, high - (high - low) / side / 2) for low, high in spans]


def nearest(codes: Float[Tensor, "n d"], z: Float[Tensor, " d"]) -> tuple[int, float]:
    """The code that is nearest to `z`, and its Euclidean distance."""
    distances = (codes - z).square().sum(1)
    index = int(distances.argmin())
    return index, math.sqrt(float(distances[index]))
