"""The negative log-likelihood, estimated by importance weighting."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import posterior_and_prior
from latentlab.functional.batch import Batch
from latentlab.functional.precision import widest
from latentlab.models.base import Autoencoder
from latentlab.models.codes import DECODED_AT_ONCE


def likelihood(
    model: Autoencoder, loader: Iterable[Batch], samples: int, name: str = "nll"
) -> Iterator[tuple[str, float]]:
    """-log p(x), or -log p(x|y) of a model conditioned on the label, in nats per image; lower is better.

    NAME: mean over the images of minus `importance_weighted`, an upper bound that tightens with `samples`.
    NAME_stderr: its standard error over the images. NAME_samples: number of codes per image.

    Raises:
        NotApplicable: the variant has no posterior.
    """
    nll = -torch.cat([importance_weighted(model, batch, samples) for batch in loader]).double()
    yield name, float(nll.mean())
    if len(nll) > 1:
        yield f"{name}_stderr", float(nll.std() / math.sqrt(len(nll)))
    yield f"{name}_samples", float(samples)


@torch.no_grad()
def importance_weighted(model: Autoencoder, batch: Batch, samples: int) -> Float[Tensor, " b"]:
    """log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x), z_k ~ q(z|x), (B,), in nats (Burda et al. 2016, equation 8).

    One code per image at a time, so that memory does not grow with K, and chunks of images that fit the CPU cache.
    """
    posterior, prior = posterior_and_prior(model, batch)
    wide = widest(batch.x.device)  # in float32 the later of many codes would be rounded away
    total = torch.full_like(posterior.mean[:, 0], -math.inf, dtype=wide)
    for _ in range(samples):
        z = posterior.sample(batch.random.normal(posterior.mean))
        chunks = zip(*(whole.split(DECODED_AT_ONCE) for whole in (batch.x, z, batch.y)), strict=True)
        log_prob = torch.cat(
            [model.likelihood.log_prob(x, model.decode_parameters(codes, y)) for x, codes, y in chunks]
        )
        total = torch.logaddexp(total, (log_prob + prior.log_prob(z) - posterior.log_prob(z)).to(wide))
    return total - math.log(samples)
