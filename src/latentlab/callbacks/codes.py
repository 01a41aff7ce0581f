"""The codes of many images at once."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.batch import Batch
from latentlab.models.base import Autoencoder


class Codes(NamedTuple):
    """Codes z, (N, D), labels y, (N,), and KL to the prior in nats, (N, D), where there is a posterior."""

    z: Float[Tensor, "n d"]
    y: Int[Tensor, " n"]
    kl: Float[Tensor, "n d"] | None


def collect_codes(model: Autoencoder, batches: Iterable[Batch], limit: int) -> Codes:
    """The codes of the first `limit` images, or of as many as there are."""
    z, y, kl, count = [], [], [], 0
    for batch in batches:
        images, labels = batch.x[: limit - count], batch.y[: limit - count]
        encoding = model.encode(images, labels)
        prior = model.prior(labels)
        z.append(encoding.z.float())
        y.append(labels)
        if encoding.posterior is not None and prior is not None:
            kl.append(encoding.posterior.kl(prior).float())
        count += len(labels)
        if count >= limit:
            break
    return Codes(torch.cat(z), torch.cat(y), torch.cat(kl) if kl else None)
