"""A sparse code whose number of active units differs between images, and is given on average."""

from typing import final

import torch
from torch import Tensor

from latentlab.functional.batch import Code, PerImage
from latentlab.functional.dead_units import below_threshold
from latentlab.functional.penalties import Activity, Penalty, check_kept
from latentlab.functional.precision import at_least_float32

WINDOW = 100  # batches: the running mean is that of all of the first, then decays with this time constant


@final
class BatchTopK(Penalty):
    """The `B * k` largest positive values of a batch are kept, k of an image on average. Bussmann et al. 2024.

    In evaluation mode a code does not depend on others: the values above a threshold are kept, the running mean over
    training batches of the smallest value kept (their equation for theta), a buffer that is saved in checkpoints.
    Where several devices share a batch, each keeps the largest of its own images; the threshold is the mean over them.
    The penalty raises dead units as that of `TopK` does; `weight` 0 turns it off.

    k: units that an image keeps on average.

    Raises ValueError for a negative weight.
    """

    code_depends_on_batch = True
    threshold: Tensor
    batches: Tensor

    def __init__(self, weight: float, k: int, active_above: float) -> None:
        super().__init__(weight, active_above)
        self.k = k
        self.register_buffer("threshold", torch.zeros(()))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def check(self, latent_dim: int) -> None:
        """Raise ValueError for a `k` that is not within 1 .. latent_dim."""
        check_kept(self.k, latent_dim)

    def activate(self, code: Code) -> Code:
        """The batch's B * k largest positive values, others zero; those above the threshold in evaluation mode.

        Raises ValueError where the code has fewer than k units.
        """
        self.check(code.shape[1])
        positive = code.relu()
        if self.training:
            return keep_largest_of_batch(positive, self.k)
        return torch.where(positive > self.threshold, positive, 0.0)

    def forward(self, of: Activity) -> PerImage:
        """How far the units that no image of the batch keeps are below the least kept value, the same B times."""
        least = least_positive(at_least_float32(of.code))
        return below_threshold(of.raw, of.code, least, of.batch_mean).expand(of.code.shape[0])

    @torch.no_grad()
    def observe(self, of: Activity, size: int) -> None:
        least = of.batch_mean(least_positive(of.code).expand(of.code.shape[0], 1)).squeeze()
        self.batches.add_(1)
        self.threshold.add_((least - self.threshold) / self.batches.clamp_max(WINDOW))


def keep_largest_of_batch(code: Code, k: int) -> Code:
    """The B * k largest of all values of a batch at their places, (B, D); the others become zero.

    Bussmann et al. 2024. Gradients flow through the kept values alone.
    """
    values, indices = code.flatten().topk(len(code) * k)
    return torch.zeros_like(code).flatten().scatter(0, indices, values).view_as(code)


def least_positive(code: Code) -> Tensor:
    """The smallest positive value of a batch, a scalar; 0 where there is none."""
    least = torch.where(code > 0, code, torch.inf).flatten()
    least = torch.cat([least, least.new_full((1,), torch.inf)]).amin()  # a device may hold no image
    return torch.where(least.isinf(), 0.0, least)
