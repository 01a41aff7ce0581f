"""Sparsity penalties: they keep the units of a code inactive on most images."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, PerImage
from latentlab.functional.dead_units import BatchMean, Revival, below_threshold
from latentlab.functional.precision import at_least_float32

LEAST_ACTIVITY = 1e-6  # keeps the penalty finite for a unit that is never or always active


@final
class Activity(NamedTuple):
    """A batch of codes, and the mean over the whole batch.

    raw, code: the encoder's output before and after `Penalty.activate`, (B, D).
    batch_mean: the mean over the images of the batch on all devices: (B, D) -> (D,).
    """

    raw: Code
    code: Code
    batch_mean: BatchMean


class Penalty(nn.Module, ABC):
    """The activation function of a sparse code, and the penalty on its activity.

    weight: factor of the penalty in the objective.
    active_above: a unit counts as active on an image where it exceeds this value.
    code_depends_on_batch: whether in training mode a code depends on the other codes of the batch.
    auxiliary: factor in the objective of -log p(x | `revived`); 0 for a penalty without it.

    Raises ValueError for a weight that is negative, infinite or NaN.
    """

    code_depends_on_batch: ClassVar[bool] = False
    auxiliary: float = 0.0

    def __init__(self, weight: float, active_above: float) -> None:
        super().__init__()
        if not 0 <= weight < math.inf:
            raise ValueError(f"weight: expected at least 0, found {weight}; 0 turns it off")
        self.weight = weight
        self.active_above = active_above

    def check(self, latent_dim: int) -> None:
        """Raise ValueError where the options do not fit a code of `latent_dim` units."""

    def prepare(self, latent_dim: int) -> None:
        """Make the parameters and buffers for a code of `latent_dim` units; once, before the first code.

        Raises ValueError where the options do not fit.
        """
        self.check(latent_dim)

    @abstractmethod
    def activate(self, code: Code) -> Code:
        """The code from the encoder's output, both (B, D)."""

    @abstractmethod
    def forward(self, of: Activity) -> PerImage:
        """The penalty of each image's code, (B,), without the factor `weight`."""

    def revived(self, raw: Code, code: Code) -> Code:
        """The code with dead units in it, (B, D), which the auxiliary term decodes; used where `auxiliary` is not 0."""
        return code

    def observe(self, of: Activity, size: int) -> None:
        """Update the buffers by a training batch of `size` images, of which this device has the codes `of`."""


@final
class L1(Penalty):
    """The sum of the absolute values of a rectified code, and of those before rectification of dead units.

    Without the second part most units of a small code die within the first hundred steps, before they tell images
    apart: a rectified unit that no image activates has no gradient.
    """

    def activate(self, code: Code) -> Code:
        """relu."""
        return code.relu()

    def forward(self, of: Activity) -> PerImage:
        """The sum of |code| over the units, (B,), and how far below 0 the units are that the batch never activates."""
        return at_least_float32(of.code).abs().sum(1) + below_threshold(of.raw, of.code, 0.0, of.batch_mean)


@final
class KLToTarget(Penalty):
    """KL of each unit's mean activity over the batch to the target `rho`: Ng 2011, "Sparse autoencoder".

    rho: the mean activity that each unit is drawn to, between 0 and 1.

    Raises ValueError for a negative weight or a `rho` outside (0, 1).
    """

    def __init__(self, weight: float, rho: float, active_above: float) -> None:
        super().__init__(weight, active_above)
        if not 0 < rho < 1:
            raise ValueError(f"rho: expected a number between 0 and 1, found {rho}")
        self.rho = rho

    def activate(self, code: Code) -> Code:
        """sigmoid."""
        return code.sigmoid()

    def forward(self, of: Activity) -> PerImage:
        """The sum of KL(Bernoulli(rho) || Bernoulli(mean activity)) over the units, in nats, the same B times."""
        return kl_to_target(of.batch_mean(at_least_float32(of.code)), self.rho).sum().expand(of.code.shape[0])


@final
class TopK(Penalty):
    """Sparse by construction: the `k` largest units of a code are kept. Makhzani & Frey 2013.

    Without a penalty, most units of a large code are dead: never among the k largest, they get no gradient. Two terms
    raise them, each of which may be 0: the penalty, and the auxiliary loss AuxK of Gao et al. 2024.
    k: units of a code that are kept.
    alpha: in evaluation mode `alpha * k` units are kept, rounded; at least 1, as in the paper's algorithm 1. More units
        than in training improve linear classification of the code.
    auxiliary: weight of AuxK, the reconstruction with dead units added to the code; 1/32 in Gao et al.
    auxiliary_k: dead units that are added to a code.
    dead_after: training images after which a unit that none of them keeps counts as dead for AuxK.

    Raises ValueError for a negative weight, and an `auxiliary_k` or `dead_after` below 1.
    """

    def __init__(
        self,
        weight: float,
        k: int,
        active_above: float,
        alpha: float = 1.0,
        auxiliary: float = 0.0,
        auxiliary_k: int = 64,
        dead_after: int = 10_000,
    ) -> None:
        super().__init__(weight, active_above)
        if not 0 <= auxiliary < math.inf:
            raise ValueError(f"auxiliary: expected at least 0, found {auxiliary}; 0 turns it off")
        self.k = k
        self.alpha = alpha
        self.auxiliary = auxiliary
        self.auxiliary_k = auxiliary_k
        self.dead_after = dead_after
        self.revival: Revival | None = None

    def check(self, latent_dim: int) -> None:
        """Raise ValueError for a `k` or `alpha * k` that is not within 1 .. latent_dim."""
        check_kept(self.k, latent_dim)
        if not 1 <= self.alpha <= latent_dim / self.k:
            raise ValueError(
                f"penalty.alpha: expected 1 to {latent_dim / self.k:.4g}, with which k={self.k} becomes all "
                f"units of the code, found {self.alpha}"
            )

    def prepare(self, latent_dim: int) -> None:
        super().prepare(latent_dim)
        if self.auxiliary:
            self.revival = Revival(latent_dim, self.auxiliary_k, self.dead_after)

    def activate(self, code: Code) -> Code:
        """The k largest values, others zero; alpha * k where the module is in evaluation mode.

        Raises ValueError where the code has fewer units.
        """
        self.check(code.shape[1])
        return keep_largest(code, self.k if self.training else round(self.alpha * self.k))

    def forward(self, of: Activity) -> PerImage:
        """How far the units that no image of the batch keeps are below the smallest kept value, the same B times."""
        least_kept = at_least_float32(of.raw).topk(self.k, dim=1).values[:, -1:]
        return below_threshold(of.raw, of.code, least_kept, of.batch_mean).expand(of.code.shape[0])

    def revived(self, raw: Code, code: Code) -> Code:
        return code if self.revival is None else self.revival.revived(raw, code)

    def observe(self, of: Activity, size: int) -> None:
        if self.revival is not None:
            self.revival.observe(of.code, size, of.batch_mean)


def check_kept(k: int, latent_dim: int) -> None:
    """Raise ValueError for a `k` that is not within 1 .. latent_dim."""
    if not 1 <= k <= latent_dim:
        raise ValueError(
            f"penalty.k: expected 1 to {latent_dim}, the units of the code, found {k}; "
            "lower k or raise model.latent_dim"
        )


def kl_to_target(mean_activity: Float[Tensor, " d"], rho: float) -> Float[Tensor, " d"]:
    """KL(Bernoulli(rho) || Bernoulli(mean_activity)) of each unit in nats, (D,), for 0 < rho < 1.

    Ng 2011, "Sparse autoencoder". Activities are clamped to [1e-6, 1 - 1e-6].
    """
    on = mean_activity.clamp(LEAST_ACTIVITY, 1 - LEAST_ACTIVITY)
    off = (1 - mean_activity).clamp(LEAST_ACTIVITY, 1 - LEAST_ACTIVITY)
    negative_entropy = rho * math.log(rho) + (1 - rho) * math.log1p(-rho)
    return negative_entropy - rho * on.log() - (1 - rho) * off.log()


def keep_largest(code: Code, k: int) -> Code:
    """The k largest values of each code at their indices, also negative ones; the others become zero.

    Makhzani & Frey 2013. Gradients flow through the kept values alone; among equal values the choice is arbitrary.
    """
    values, indices = code.topk(k, dim=1)
    return torch.zeros_like(code).scatter(1, indices, values)
