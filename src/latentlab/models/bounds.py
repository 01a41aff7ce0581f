"""Lower bounds on log p(x), or log p(x|y), that a variational autoencoder maximises."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.errors import ConfigError
from latentlab.functional.batch import Batch, Code, PerImage
from latentlab.functional.densities import Density, kl_at, kl_of_units
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm

PerDraw = Float[Tensor, "k b"]  # one number for each of k draws of each image
Draws = Float[Tensor, "k b d"]


@final
class Inference(NamedTuple):
    """What a bound is computed from.

    posterior: q(z|x) of the batch's images. prior: p(z) or p(z|y) of as many rows.
    reconstruction: -log p(x|z) of each image of a batch at its code, in nats.
    """

    batch: Batch
    posterior: DiagonalGaussian
    prior: Density
    reconstruction: Callable[[Batch, Code], PerImage]


class Bound(ABC):
    """The terms of an objective whose sum, with the weights 1, is minus a lower bound on log p(x) in nats.

    The terms `reconstruction` and `kl` have the values of the ELBO for every bound.
    """

    @abstractmethod
    def check(self, kl_term: KLTerm, closed_form: bool) -> None:
        """Raise ValueError for options of the KL that the bound cannot have.

        closed_form: whether the KL to the prior has a closed form for each unit.
        """

    @abstractmethod
    def terms(self, of: Inference, kl_term: KLTerm) -> dict[str, PerImage]:
        """One value per image for each term, (B,), in nats."""

    @abstractmethod
    def weights(self, kl_term: KLTerm, step: int) -> dict[str, float]:
        """The weight of each term at an optimizer step."""


@final
@dataclass(frozen=True)
class ELBO(Bound):
    """E log p(x|z) - KL(q(z|x) || p(z)) by one draw (Kingma and Welling 2013, equation 3)."""

    def check(self, kl_term: KLTerm, closed_form: bool) -> None:
        if kl_term.free_bits and not closed_form:
            raise ValueError(
                f"free_bits: expected 0 with a prior to which the KL has no closed form for each unit, found "
                f"{kl_term.free_bits}; choose model/prior=standard, or leave model.free_bits out"
            )

    def terms(self, of: Inference, kl_term: KLTerm) -> dict[str, PerImage]:
        z = of.posterior.sample(of.batch.random.normal(of.posterior.mean))
        kl = kl_of_units(of.posterior, of.prior)
        if kl is None:
            if kl_term.free_bits:  # `check` was told that there is a closed form
                raise ConfigError(
                    f"model.free_bits: expected 0, as {type(of.prior).__name__} has no closed form of the KL for each "
                    f"unit, found {kl_term.free_bits}; say gaussian = False in the class of the prior"
                )
            kl = kl_at(of.posterior, of.prior, z).unsqueeze(1)
        return {"reconstruction": of.reconstruction(of.batch, z), **kl_term.of(kl, of.batch.size)}

    def weights(self, kl_term: KLTerm, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, **kl_term.weights(step)}


ONE_DRAW = ELBO()


@dataclass(frozen=True)
class ImportanceWeighted(Bound):
    """L_K = E log 1/K sum_k w_k with w_k = p(x|z_k) p(z_k) / q(z_k|x), z_k ~ q(z|x): Burda et al. 2016, equation 8.

    The terms are `reconstruction` and `kl`, those of the ELBO by the mean of the K draws or in closed form, and
    `tightening`, what takes their sum to -L_K. The gradient of each is a mean by the normalised weights
    v_k = w_k / sum w (equation 13), so that that of the sum is the gradient of -L_K, and a schedule of the KL's weight
    is possible. It is computed at a few of the draws, resampled by these weights: the same mean, at half the time of a
    step with 50 draws.

    samples: K, the draws per image.
    gradient_samples: draws per image at which the gradient is computed; from `samples` on: at each, not resampled.

    Raises ValueError for fewer than one of either.
    """

    samples: int
    gradient_samples: int

    def __post_init__(self) -> None:
        for name, found in (("samples", self.samples), ("gradient_samples", self.gradient_samples)):
            if found < 1:
                raise ValueError(f"{name}: expected at least 1 draw per image, found {found}")

    def check(self, kl_term: KLTerm, closed_form: bool) -> None:
        for name, found, expected in (("free_bits", kl_term.free_bits, 0), ("beta", kl_term.beta, 1)):
            if found != expected:
                raise ValueError(
                    f"{name}: expected {expected} with an importance-weighted bound, found {found}; "
                    f"choose model/bound=elbo, or leave model.{name} out"
                )

    def terms(self, of: Inference, kl_term: KLTerm) -> dict[str, PerImage]:
        noise = of.batch.random.normal(of.posterior.mean.unsqueeze(1).expand(-1, self.samples, -1))
        z = of.posterior.sample(noise.transpose(0, 1))
        with torch.no_grad():
            reconstruction, kl = _reconstruction(of, z), kl_at(of.posterior, of.prior, z)
            log_weights = -(reconstruction + kl)
            v = log_weights.softmax(0)
            units = kl_of_units(of.posterior, of.prior)
            mean = reconstruction.mean(0), kl.mean(0) if units is None else units.sum(1)
            bound = log_weights.logsumexp(0) - math.log(self.samples)
        kept = self._kept(of.batch, v)
        sources = self.at(of, z.gather(0, kept.rows.unsqueeze(-1).expand(-1, -1, z.shape[-1])), v.gather(0, kept.rows))
        reconstruction, kl = (
            value + (source - source.detach())
            for value, source in zip(mean, ((kept.weights * source).sum(0) for source in sources), strict=True)
        )
        return {"reconstruction": reconstruction, "kl": kl, "tightening": -bound - mean[0] - mean[1]}

    @abstractmethod
    def at(self, of: Inference, z: Draws, v: PerDraw) -> tuple[PerDraw, PerDraw]:
        """Reconstruction term and KL at draws `z` with normalised weights `v`, with the gradients of an estimator."""

    def weights(self, kl_term: KLTerm, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, "kl": kl_term.weights(step)["kl"], "tightening": 1.0}

    def _kept(self, batch: Batch, v: PerDraw) -> "_Kept":
        """Draws, each as often as is in proportion to its weight, up to one (systematic resampling)."""
        if self.gradient_samples >= self.samples:
            return _Kept(torch.arange(self.samples, device=v.device).unsqueeze(1).expand_as(v), v)
        count = self.gradient_samples
        places = torch.arange(count, device=v.device).unsqueeze(1) + batch.random.uniform(v[0])
        rows = (v.cumsum(0).unsqueeze(0) * count <= places.unsqueeze(1)).sum(1).clamp_max(self.samples - 1)
        return _Kept(rows, v.new_full((), 1 / count).expand(count, v.shape[1]))


@final
class _Kept(NamedTuple):
    """rows: of the draws at which the gradient is computed. weights: of each in the mean."""

    rows: Int[Tensor, "r b"]
    weights: PerDraw


@final
@dataclass(frozen=True)
class IWAE(ImportanceWeighted):
    """With the reparameterised gradient: Burda et al. 2016, equations 12 to 14."""

    def at(self, of: Inference, z: Draws, v: PerDraw) -> tuple[PerDraw, PerDraw]:
        return _reconstruction(of, z), kl_at(of.posterior, of.prior, z)


@final
@dataclass(frozen=True)
class DReG(ImportanceWeighted):
    """With the doubly reparameterised gradient of the encoder: Tucker et al. 2019, equation 8.

    The weight of a draw's gradient is v_k^2 for the encoder and v_k for all else, and log q(z_k|x) has a gradient by
    z_k alone: the same mean, a smaller variance, and a signal-to-noise ratio that does not fall with K. While a
    schedule holds the KL's weight below 1, its mean is an approximation.
    """

    def at(self, of: Inference, z: Draws, v: PerDraw) -> tuple[PerDraw, PerDraw]:
        z = z.detach() + v.unsqueeze(-1) * (z - z.detach())  # the same codes, with v_k times their gradient
        fixed = DiagonalGaussian(of.posterior.mean.detach(), of.posterior.log_var.detach())
        return _reconstruction(of, z), kl_at(fixed, of.prior, z)


def _reconstruction(of: Inference, z: Draws) -> PerDraw:
    batch, draws = of.batch, len(z)
    repeated = batch._replace(x=batch.x.repeat(draws, 1, 1, 1), y=batch.y.repeat(draws))
    return of.reconstruction(repeated, z.flatten(0, 1)).unflatten(0, (draws, -1))
