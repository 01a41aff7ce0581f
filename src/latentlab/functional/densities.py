"""Densities of a code beside the diagonal Gaussian, and the KL divergence of a posterior to any of them, in nats."""

import math
from typing import NamedTuple, Protocol, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import Code
from latentlab.functional.distributions import LOG_TWO_PI, DiagonalGaussian
from latentlab.functional.precision import at_least_float32, widest


@runtime_checkable
class Density(Protocol):
    """What a prior p(z) or p(z|y) of B rows can be asked for; `StandardGaussian` and `DiagonalGaussian` are two."""

    def log_prob(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """The log-density of the codes `z`, (..., B, D), in nats: (..., B)."""

    def draw(self, generator: torch.Generator | None = None) -> Code:
        """One code for each row, (B, D); None: by torch's global generator."""


@final
class StandardGaussian(NamedTuple):
    """N(0, I) in each row.

    rows: B. units: D. device: of its draws.
    """

    rows: int
    units: int
    device: torch.device

    def log_prob(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """The log-density of the codes `z`, (..., D), in nats: (...)."""
        return -0.5 * (LOG_TWO_PI + at_least_float32(z).square()).sum(-1)

    def draw(self, generator: torch.Generator | None = None) -> Code:
        """One code for each row, (B, D)."""
        device = self.device if generator is None else generator.device
        return torch.randn(self.rows, self.units, generator=generator, device=device).to(self.device)


@final
class GaussianMixture(NamedTuple):
    """N diagonal Gaussians, and the weight of each of them in each row.

    mean, log_var: of the components, (N, D).
    log_weight: natural logarithm of the weights, which sum to 1, (B, N), or (1, N) for the same in every row.
    """

    mean: Float[Tensor, "n d"]
    log_var: Float[Tensor, "n d"]
    log_weight: Float[Tensor, "b n"]

    @classmethod
    def equal(cls, components: DiagonalGaussian, rows: int = 1) -> "GaussianMixture":
        """The mean of the components' densities, (N, D) each, in every row."""
        count, device = len(components.mean), components.mean.device
        log_weight = torch.full((1, count), -math.log(count), dtype=widest(device), device=device)
        return cls(*components, log_weight.expand(rows, count))

    def log_prob(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """log sum_n weight_n N(z; mean_n, var_n), (..., B), for codes (..., B, D), in nats.

        By a matrix product, for N Gaussians at B codes are a tensor of (B, N, D) otherwise; in float64 where the device
        has it, as the squared distance is then a difference of large numbers.
        """
        codes, kind = at_least_float32(z), widest(z.device)
        mean, log_var, z = self.mean.to(kind), self.log_var.to(kind), codes.to(kind)
        precision = (-log_var).exp()
        constant = -0.5 * (LOG_TWO_PI + log_var + mean.square() * precision).sum(1)
        exponent = torch.cat((z.square(), z), -1) @ torch.cat((-0.5 * precision, mean * precision), 1).T
        return (self.log_weight.to(kind) + constant + exponent).logsumexp(-1).to(codes.dtype)

    def draw(self, generator: torch.Generator | None = None) -> Code:
        """A component by its weight, and a code of it, for each row, (B, D)."""
        device = self.mean.device if generator is None else generator.device
        chosen = torch.multinomial(self.log_weight.exp().to(device), 1, generator=generator).squeeze(1)
        chosen = chosen.to(self.mean.device)
        return DiagonalGaussian(self.mean[chosen], self.log_var[chosen]).draw(generator)


def kl_of_units(posterior: DiagonalGaussian, prior: Density) -> Code | None:
    """KL(posterior || prior) of each unit, (B, D); None where there is no closed form, see `kl_at`."""
    if isinstance(prior, StandardGaussian):
        return posterior.kl_to_standard()
    return posterior.kl(prior) if isinstance(prior, DiagonalGaussian) else None


def kl_at(posterior: DiagonalGaussian, prior: Density, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
    """log q(z|x) - log p(z), (..., B), whose mean over draws `z` of the posterior, (..., B, D), is the KL."""
    return posterior.log_prob(z) - prior.log_prob(z)
