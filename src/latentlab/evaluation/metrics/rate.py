"""Rate, distortion, mutual information, and how well the aggregate posterior matches the prior."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import posterior_and_prior
from latentlab.functional.batch import Batch
from latentlab.functional.densities import GaussianMixture, kl_at, kl_of_units
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.base import Autoencoder

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2
DRAWS = 2_000  # codes that the mutual information is estimated from
CODES_AT_ONCE = 250  # whose densities under all posteriors are held


def rate(model: Autoencoder, loader: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """Over a whole split of N images, in nats per image:

    rate, distortion: KL(q(z|x) || p(z)) and -E log p(x|z), one draw per image (Alemi et al. 2018, section 2), for
        the rate only where the KL has no closed form; lower is better, with a trade-off between the two.
    active_units: number of units whose posterior mean has a variance over the images above 0.01 (Burda et al. 2016,
        section 5.2). active_unit_share: the same as a fraction of all units.
    mutual_information: I(x; z) = E log q(z|x) / q(z) between image and code, estimated from 2,000 draws; at most log N.
    marginal_kl: KL(q(z) || p(z)) = rate - mutual_information of the aggregate posterior q(z) (Hoffman and Johnson 2016,
        equation 4); lower is better. Where the prior depends on the label, E log q(z) / p(z|y).

    Raises:
        NotApplicable: the variant has no posterior.
    """
    posteriors, kl, distortion = _collect(model, loader)
    variances = posteriors.mean.double().var(0, correction=0)
    active = int((variances > ACTIVE_VARIANCE).sum())
    mean_kl, mutual = float(kl.double().mean()), float(mutual_information(posteriors))
    yield "rate", mean_kl
    yield "distortion", float(distortion.double().mean())
    yield "active_units", float(active)
    yield "active_unit_share", active / len(variances)
    yield "mutual_information", mutual
    yield "marginal_kl", mean_kl - mutual


def mutual_information(posteriors: DiagonalGaussian) -> Float[Tensor, ""]:
    """E log q(z|x) / q(z) over N posteriors, (N, D) each, estimated from draws of 2,000 of them, in nats."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(posteriors.mean), generator=generator)[:DRAWS].to(posteriors.mean.device)
    own = DiagonalGaussian(posteriors.mean[chosen].double(), posteriors.log_var[chosen].double())
    z = own.sample(torch.randn(own.mean.shape, generator=generator).to(own.mean))
    return (own.log_prob(z) - mixture_log_prob(posteriors, z)).mean()


def mixture_log_prob(components: DiagonalGaussian, z: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
    """log 1/N sum_n N(z; mean_n, var_n) at each code, (M,), in nats; in float64, in chunks."""
    mixture = GaussianMixture.equal(components)
    return torch.cat([mixture.log_prob(codes) for codes in z.double().split(CODES_AT_ONCE)])


@torch.no_grad()
def _collect(
    model: Autoencoder, loader: Iterable[Batch]
) -> tuple[DiagonalGaussian, Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The posterior of each image, (N, D), its KL and its distortion, (N,)."""
    rows = []
    for batch in loader:
        posterior, prior = posterior_and_prior(model, batch)
        z = posterior.sample(batch.random.normal(posterior.mean))
        distortion = -model.likelihood.log_prob(batch.x, model.decode_parameters(z, batch.y))
        kl = kl_of_units(posterior, prior)
        rows.append((*posterior, kl_at(posterior, prior, z) if kl is None else kl.sum(1), distortion))
    mean, log_var, kl, distortion = (torch.cat(one) for one in zip(*rows, strict=True))
    return DiagonalGaussian(mean, log_var), kl, distortion
