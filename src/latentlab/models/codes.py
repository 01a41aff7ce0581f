"""The codes of many images at once."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder

# fewer leave a recurrent net to one thread, more do not fit a CPU's cache as a convolution's maps
DECODED_AT_ONCE = 334


class Codes(NamedTuple):
    """Codes z, (N, D), labels y, (N,), and KL to the prior in nats, (N, D), where there is a posterior."""

    z: Float[Tensor, "n d"]
    y: Int[Tensor, " n"]
    kl: Float[Tensor, "n d"] | None


@torch.no_grad()
def collect_codes(model: Autoencoder, batches: Iterable[Batch], limit: int | None = None) -> Codes:
    """The codes of the first `limit` images, or of as many as there are."""
    most = math.inf if limit is None else limit
    z, y, kl, count = [], [], [], 0
    for batch in batches:
        room = int(min(most - count, len(batch.y)))
        images, labels = batch.x[:room], batch.y[:room]
        encoding = model.encode(images, labels)
        prior = model.prior(labels)
        z.append(encoding.z.float())
        y.append(labels)
        if encoding.posterior is not None and prior is not None:
            kl.append(encoding.posterior.kl(prior).float())
        count += len(labels)
        if count >= most:
            break
    return Codes(torch.cat(z), torch.cat(y), torch.cat(kl) if kl else None)
