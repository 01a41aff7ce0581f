"""The KL divergence in an objective: its weight, its schedule, and free bits."""

import math
from dataclasses import dataclass
from typing import final

from latentlab.functional.batch import Code, PerImage
from latentlab.functional.distributed import batch_mean
from latentlab.functional.schedules import WeightSchedule


@final
@dataclass(frozen=True)
class KLTerm:
    """beta * schedule(step) * sum_j max(free_bits, KL_j), KL_j of latent unit j to its prior, averaged over the batch.

    beta: weight of the KL (Higgins et al. 2017).
    schedule: factor of `beta` by optimizer step.
    free_bits: nats per latent unit below which the KL is not reduced further (Kingma et al. 2016, equation 15).

    Raises ValueError where `beta` or `free_bits` is negative, infinite or NaN.
    """

    beta: float
    schedule: WeightSchedule
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("beta", self.beta), ("free_bits", self.free_bits)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: expected a number of at least 0, found {value}")

    @property
    def batch_terms(self) -> frozenset[str]:
        """The names of the terms whose value for an image depends on the other images of the batch."""
        return frozenset({"free_bits"} if self.free_bits else ())

    def of(self, kl: Code, size: int) -> dict[str, PerImage]:
        """The terms for each image, in nats, (B,): "kl", and where there are any "free_bits", which are added to it.

        kl: the KL of each latent unit, (B, D). size: images in the batch over all devices, of which this one holds B.
        """
        added = {"free_bits": free_bits(kl, size, self.free_bits)} if self.free_bits else {}
        return {"kl": kl.sum(1), **added}

    def weights(self, step: int) -> dict[str, float]:
        """The weights of these terms at an optimizer step."""
        weight = self.beta * self.schedule(step)
        return {"kl": weight, **({"free_bits": weight} if self.free_bits else {})}


def free_bits(kl: Code, size: int, free_bits: float) -> PerImage:
    """What is added to each image's KL so that a unit below `free_bits` nats has no gradient; (B,), in nats.

    Kingma et al. 2016, equation 15: sum_j max(free_bits, KL_j) = sum_j KL_j + sum_j relu(free_bits - KL_j),
    where KL_j is the mean of unit j over the whole batch of `size` images, of which this device holds B.
    """
    return (free_bits - batch_mean(kl, size)).relu().sum().expand(len(kl))
