"""The importance-weighted bound on the log-likelihood."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.functional.batch import Batch
from latentlab.functional.precision import widest
from latentlab.models.base import Autoencoder
from latentlab.models.codes import DECODED_AT_ONCE


def likelihood(
    model: Autoencoder, loader: Iterable[Batch], samples: int, name: str = "nll"
) -> Iterator[tuple[str, float]]:
    """-log p(x), or -log p(x|y) of a model that is told the label, in nats an image; less is better.

    NAME: the mean over the images of the bound of Burda et al. 2016, equation 8, with all of `samples` codes.
    NAME_stderr: its standard error over the images. NAME_samples: how many codes: the bound falls as they grow.

    Raises:
        NotApplicable: the variant has no posterior, and so no likelihood.
    """
    nll = -torch.cat([importance_weighted(model, batch, samples) for batch in loader]).double()
    yield name, float(nll.mean())
    yield f"{name}_stderr", float(nll.std() / math.sqrt(len(nll)))
    yield f"{name}_samples", float(samples)


@torch.no_grad()
def importance_weighted(model: Autoencoder, batch: Batch, samples: int) -> Float[Tensor, " b"]:
    """log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), z_k drawn from the posterior, (B,), in nats.

    One code an image at a time, so that memory does not grow with K, and few images, which stay in the cache.
    """
    posterior, prior = model.encode(batch.x, batch.y).posterior, model.prior(batch.y)
    if posterior is None or prior is None:
        raise NotApplicable("it has no posterior")
    wide = widest(batch.x.device)  # float32 would lose the later ones of many codes
    total = torch.full_like(posterior.mean[:, 0], -math.inf, dtype=wide)
    for _ in range(samples):
        z = posterior.sample(batch.random.normal(posterior.mean))
        parts = zip(*(whole.split(DECODED_AT_ONCE) for whole in (batch.x, z, batch.y)), strict=True)
        log_prob = torch.cat([model.likelihood.log_prob(x, model.decode(codes, y)) for x, codes, y in parts])
        total = torch.logaddexp(total, (log_prob + prior.log_prob(z) - posterior.log_prob(z)).to(wide))
    return total - math.log(samples)
