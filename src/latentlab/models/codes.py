"""The codes of many images."""

import sys
from collections.abc import Iterable
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.functional.batch import Batch
from latentlab.functional.densities import kl_of_units
from latentlab.models.base import Autoencoder

# codes per call of the decoder: with fewer a recurrent net uses one thread, with more the feature maps of a
# convolutional net exceed the CPU cache
DECODED_AT_ONCE = 334


@final
class Codes(NamedTuple):
    """Codes z, (N, D), and labels y, (N,).

    log_var: of the posterior where there is one, whose mean z is: the logarithm of its variance, (N, D).
    kl: that of the posterior to the prior in nats, (N, D), where it has a closed form.
    """

    z: Float[Tensor, "n d"]
    y: Int[Tensor, " n"]
    kl: Float[Tensor, "n d"] | None = None
    log_var: Float[Tensor, "n d"] | None = None

    @property
    def activity(self) -> Float[Tensor, " d"]:
        """The mean KL of each unit, (D,), or else the variance of its code."""
        return self.z.var(0, correction=0) if self.kl is None else self.kl.mean(0)


@torch.no_grad()
def collect_codes(model: Autoencoder, batches: Iterable[Batch], limit: int = sys.maxsize) -> Codes:
    """The codes of the first `limit` images, or of all if there are fewer."""
    z, y, kl, log_var, count = [], [], [], [], 0
    for batch in batches:
        rows = min(limit - count, len(batch.y))
        images, labels = batch.x[:rows], batch.y[:rows]
        encoding = model.encode(images, labels)
        prior = model.prior(labels)
        z.append(encoding.z.float())
        y.append(labels)
        if encoding.posterior is not None and prior is not None:
            of_units = kl_of_units(encoding.posterior, prior)
            kl += [] if of_units is None else [of_units.float()]
            log_var.append(encoding.posterior.log_var.float())
        count += len(labels)
        if count >= limit:
            break
    return Codes(torch.cat(z), torch.cat(y), torch.cat(kl) if kl else None, torch.cat(log_var) if log_var else None)
