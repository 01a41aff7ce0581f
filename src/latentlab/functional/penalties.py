"""Sparsity: what makes the units of a code be off for most images."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.errors import ConfigError
from latentlab.functional.precision import at_least_float32

LEAST_ACTIVITY = 1e-6  # a unit that is never or always on costs much, but finitely so


class Penalty(nn.Module, ABC):
    """How a sparse code is activated and what its activity costs.

    weight: factor of the penalty in the objective.
    active_above: a unit counts as active on an image where it exceeds this value.
    """

    def __init__(self, weight: float, active_above: float) -> None:
        super().__init__()
        self.weight = weight
        self.active_above = active_above

    @abstractmethod
    def check(self, latent_dim: int) -> None:
        """Raise ConfigError where the options are out of range, also for a code of `latent_dim` units."""

    @abstractmethod
    def activate(self, code: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """The code from the encoder's output, both (B, D)."""

    @abstractmethod
    def forward(
        self,
        raw: Float[Tensor, "b d"],
        code: Float[Tensor, "b d"],
        batch_mean: Callable[[Float[Tensor, "b d"]], Float[Tensor, " d"]],
    ) -> Float[Tensor, " b"]:
        """The cost of a code for each image, (B,), before `weight`.

        raw, code: the encoder's output before and after `activate`.
        batch_mean: the mean over the images of the whole batch, on all devices: (B, D) -> (D,).
        """


@final
class L1(Penalty):
    """The sum of the absolute values of a rectified code."""

    def check(self, latent_dim: int) -> None:
        """Raise ConfigError for a negative weight."""
        _check_weight(self.weight)

    def activate(self, code: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """relu."""
        return code.relu()

    def forward(
        self,
        raw: Float[Tensor, "b d"],
        code: Float[Tensor, "b d"],
        batch_mean: Callable[[Float[Tensor, "b d"]], Float[Tensor, " d"]],
    ) -> Float[Tensor, " b"]:
        """The sum of |code| over the units, (B,)."""
        return l1(code)


@final
class KLToTarget(Penalty):
    """Each unit's mean activity over the batch, drawn towards `rho`: Ng 2011, "Sparse autoencoder"."""

    def __init__(self, weight: float, rho: float, active_above: float) -> None:
        super().__init__(weight, active_above)
        self.rho = rho

    def check(self, latent_dim: int) -> None:
        """Raise ConfigError for a negative weight or a `rho` that is no proper probability."""
        _check_weight(self.weight)
        if not 0 < self.rho < 1:
            raise ConfigError(f"model.penalty.rho: expected a number between 0 and 1, found {self.rho}")

    def activate(self, code: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """sigmoid."""
        return code.sigmoid()

    def forward(
        self,
        raw: Float[Tensor, "b d"],
        code: Float[Tensor, "b d"],
        batch_mean: Callable[[Float[Tensor, "b d"]], Float[Tensor, " d"]],
    ) -> Float[Tensor, " b"]:
        """The sum of KL(Bernoulli(rho) || Bernoulli(mean activity)) over the units, in nats, (B,) times."""
        return kl_to_target(batch_mean(at_least_float32(code)), self.rho).sum().expand(code.shape[0])


@final
class TopK(Penalty):
    """Sparse by construction: the `k` largest units of a code are kept. Makhzani & Frey 2013.

    Left to itself, most of a large code is never among them and, without a gradient, never will be. `weight` pulls
    at those units (cf. the auxiliary loss of Gao et al. 2024); 0 leaves them alone.
    alpha: outside of training, `alpha * k` units are kept, rounded: alpha >= 1 of the paper's algorithm 1, with
        which a linear classifier reads the code better.
    """

    def __init__(self, weight: float, k: int, active_above: float, alpha: float = 1.0) -> None:
        super().__init__(weight, active_above)
        self.k = k
        self.alpha = alpha

    def check(self, latent_dim: int) -> None:
        """Raise ConfigError for a negative weight, or a `k` or `alpha * k` that is not within 1 .. latent_dim."""
        _check_weight(self.weight)
        if not 1 <= self.k <= latent_dim:
            raise ConfigError(
                f"model.penalty.k: expected 1 to {latent_dim}, the units of the code, found {self.k}; "
                "lower k or raise model.latent_dim"
            )
        if not 1 <= self.alpha <= latent_dim / self.k:
            raise ConfigError(
                f"model.penalty.alpha: expected 1 to {latent_dim / self.k:.4g}, with which k={self.k} becomes all "
                f"units of the code, found {self.alpha}"
            )

    def activate(self, code: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """The k largest values, others zero; alpha * k where the module is in evaluation mode.

        Raises ConfigError where the code has fewer units.
        """
        self.check(code.shape[1])
        return keep_largest(code, self.k if self.training else round(self.alpha * self.k))

    def forward(
        self,
        raw: Float[Tensor, "b d"],
        code: Float[Tensor, "b d"],
        batch_mean: Callable[[Float[Tensor, "b d"]], Float[Tensor, " d"]],
    ) -> Float[Tensor, " b"]:
        """How far the units that no image of the batch keeps stay below the least that is kept: (B,) times.

        The mean over the images, summed over these units.
        """
        raw = at_least_float32(raw)
        least_kept = raw.topk(self.k, dim=1).values[:, -1:]
        unused = batch_mean((code != 0).to(raw.dtype)) == 0
        return (unused * batch_mean((least_kept - raw).relu())).sum().expand(code.shape[0])


def l1(code: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    """The sum of the absolute values of each code, (B,)."""
    return at_least_float32(code).abs().sum(1)


def kl_to_target(mean_activity: Float[Tensor, " d"], rho: float) -> Float[Tensor, " d"]:
    """KL(Bernoulli(rho) || Bernoulli(mean_activity)) of each unit in nats, (D,), for 0 < rho < 1.

    Ng 2011, "Sparse autoencoder". Activities are held within [1e-6, 1 - 1e-6].
    """
    on = mean_activity.clamp(LEAST_ACTIVITY, 1 - LEAST_ACTIVITY)
    off = (1 - mean_activity).clamp(LEAST_ACTIVITY, 1 - LEAST_ACTIVITY)
    negative_entropy = rho * math.log(rho) + (1 - rho) * math.log1p(-rho)
    return negative_entropy - rho * on.log() - (1 - rho) * off.log()


def keep_largest(code: Float[Tensor, "b d"], k: int) -> Float[Tensor, "b d"]:
    """The k largest values of each code where they stand, also negative ones; the others become zero.

    Makhzani & Frey 2013. Gradients flow through the kept values alone; among equal ones the choice is free.
    """
    values, places = code.topk(k, dim=1)
    return torch.zeros_like(code).scatter(1, places, values)


def _check_weight(weight: float) -> None:
    if not 0 <= weight < math.inf:
        raise ConfigError(f"model.penalty.weight: expected at least 0, found {weight}; 0 turns it off")
