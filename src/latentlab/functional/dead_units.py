"""Dead units, which are active on no image and therefore have no gradient, and two ways to revive them."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latentlab.functional.batch import Code
from latentlab.functional.precision import at_least_float32

BatchMean = Callable[[Code], Float[Tensor, " d"]]


def below_threshold(
    raw: Code, code: Code, threshold: Float[Tensor, "..."] | float, batch_mean: BatchMean
) -> Float[Tensor, ""]:
    """How far the dead units are below the value from which they would be active.

    Dead is a unit whose `code`, (B, D), is zero on every image of the batch. Mean over the images, sum over these
    units, in the unit of the code; its gradient raises `raw`, the code before activation, of dead units alone.

    threshold: the least active value, a number or broadcast to (B, D).
    batch_mean: the mean over the images of the batch on all devices, (B, D) -> (D,).
    """
    wide = at_least_float32(raw)
    dead = batch_mean((code != 0).to(wide.dtype)) == 0
    return (dead * batch_mean((threshold - wide).relu())).sum()


@final
class Revival(nn.Module):
    """The dead units that may help to reconstruct an image: AuxK, Gao et al. 2024, appendix A.2.

    Dead is here a unit that has been active on none of the last `dead_after` training images. How many images that
    are is a buffer, and so is saved in checkpoints.

    latent_dim: units of the code.
    k: dead units that are added to a code, the largest; all of them where fewer are dead.
    dead_after: training images.

    Raises ValueError for a k or `dead_after` below 1.
    """

    idle: Tensor

    def __init__(self, latent_dim: int, k: int, dead_after: int) -> None:
        super().__init__()
        for name, value in (("auxiliary_k", k), ("dead_after", dead_after)):
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, found {value}")
        self.k = min(k, latent_dim)
        self.dead_after = dead_after
        self.register_buffer("idle", torch.zeros(latent_dim, dtype=torch.int64))

    def dead(self) -> Bool[Tensor, " d"]:
        """Which units are dead, (D,)."""
        return self.idle >= self.dead_after

    def revived(self, raw: Code, code: Code) -> Code:
        """The code, without gradient, with the k largest positive values of the dead units of `raw`, all (B, D)."""
        candidates = raw.relu() * self.dead()
        values, indices = candidates.topk(self.k, dim=1)
        return code.detach() + torch.zeros_like(raw).scatter(1, indices, values)

    @torch.no_grad()
    def observe(self, code: Code, size: int, batch_mean: BatchMean) -> None:
        """Count a training batch of `size` images on all devices, of which this one has the codes `code`, (B, D)."""
        used = batch_mean((code != 0).to(torch.float32)) > 0
        self.idle.copy_(torch.where(used, 0, self.idle + size))
