"""Rate, distortion, and the units that carry the rate."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import posterior_and_prior
from latentlab.figures.unit_activity import ACTIVE_VARIANCE
from latentlab.functional.batch import Batch
from latentlab.functional.densities import kl_at, kl_of_units
from latentlab.models.base import Autoencoder


def rate(model: Autoencoder, loader: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """Over a whole split, in nats per image:

    rate, distortion: KL(q(z|x) || p(z)) and -E log p(x|z), one draw per image (Alemi et al. 2018, section 2), for
        the rate only where the KL has no closed form; lower is better, with a trade-off between the two.
    active_units: number of units whose posterior mean has a variance over the images above 0.01 (Burda et al. 2016,
        section 5.2). active_unit_share: the same as a fraction of all units.

    Raises:
        NotApplicable: the variant has no posterior.
    """
    mean, kl, distortion = (torch.cat(rows) for rows in zip(*(_of_batch(model, own) for own in loader), strict=True))
    variances = mean.double().var(0, correction=0)
    active = int((variances > ACTIVE_VARIANCE).sum())
    yield "rate", float(kl.double().mean())
    yield "distortion", float(distortion.double().mean())
    yield "active_units", float(active)
    yield "active_unit_share", active / len(variances)


@torch.no_grad()
def _of_batch(
    model: Autoencoder, batch: Batch
) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"], Float[Tensor, " b"]]:
    """The posterior's mean of each image, its KL and its distortion."""
    posterior, prior = posterior_and_prior(model, batch)
    z = posterior.sample(batch.random.normal(posterior.mean))
    distortion = -model.likelihood.log_prob(batch.x, model.decode_parameters(z, batch.y))
    kl = kl_of_units(posterior, prior)
    return posterior.mean, kl_at(posterior, prior, z) if kl is None else kl.sum(1), distortion
