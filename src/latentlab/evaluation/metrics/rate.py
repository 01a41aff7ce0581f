"""What the code costs, what it leaves unsaid, and how well its aggregate fills the prior."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.functional.batch import Batch
from latentlab.functional.distributions import LOG_TWO_PI, DiagonalGaussian
from latentlab.models.base import Autoencoder

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2
DRAWS = 2_000  # codes that the aggregate posterior is judged by
CODES_AT_ONCE = 250  # beside all posteriors at once


def rate(model: Autoencoder, loader: Iterable[Batch]) -> Iterator[tuple[str, float]]:
    """Over a whole split, in nats an image:

    rate, distortion: KL(q(z|x) || p(z)) and -E log p(x|z), one draw an image (Alemi et al. 2018).
    active_units: units whose posterior mean has a variance over the images of more than 0.01 (Burda et al. 2016).
    active_unit_share: the same as a share of all units.
    mutual_information: what the code says of which image it was, by 2,000 draws; at most log N.
    marginal_kl: the rest of the rate, KL(q(z) || p(z)) of the aggregate posterior (Hoffman and Johnson 2016, eq. 4);
        where the prior depends on the label, E log q(z) / p(z|y).

    Raises:
        NotApplicable: the variant has no posterior.
    """
    posteriors, kl, distortion = _collect(model, loader)
    variances = posteriors.mean.double().var(0, correction=0)
    active = int((variances > ACTIVE_VARIANCE).sum())
    spent, mutual = float(kl.double().mean()), float(mutual_information(posteriors))
    yield "rate", spent
    yield "distortion", float(distortion.double().mean())
    yield "active_units", float(active)
    yield "active_unit_share", active / len(variances)
    yield "mutual_information", mutual
    yield "marginal_kl", spent - mutual


def mutual_information(posteriors: DiagonalGaussian) -> Float[Tensor, ""]:
    """E log q(z|x) / q(z) over N posteriors, (N, D) each, and draws from some of them, in nats."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(posteriors.mean), generator=generator)[:DRAWS].to(posteriors.mean.device)
    drawn_from = DiagonalGaussian(posteriors.mean[chosen].double(), posteriors.log_var[chosen].double())
    z = drawn_from.sample(torch.randn(drawn_from.mean.shape, generator=generator).to(drawn_from.mean))
    return (drawn_from.log_prob(z) - mixture_log_prob(posteriors, z)).mean()


def mixture_log_prob(parts: DiagonalGaussian, z: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
    """log of the mean of N Gaussians' densities at each code, (M,), in nats; by products in float64, chunked."""
    mean, log_var = parts.mean.double(), parts.log_var.double()
    precision = (-log_var).exp()
    constant = -0.5 * (LOG_TWO_PI + log_var + mean.square() * precision).sum(1)
    found = []
    for codes in z.double().split(CODES_AT_ONCE):
        distance = codes.square() @ precision.T - 2 * codes @ (mean * precision).T
        found.append((constant - 0.5 * distance).logsumexp(1) - math.log(len(mean)))
    return torch.cat(found)


@torch.no_grad()
def _collect(
    model: Autoencoder, loader: Iterable[Batch]
) -> tuple[DiagonalGaussian, Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The posterior of each image, (N, D), its KL and its distortion, (N,)."""
    rows = []
    for batch in loader:
        posterior, prior = model.encode(batch.x, batch.y).posterior, model.prior(batch.y)
        if posterior is None or prior is None:
            raise NotApplicable("it has no posterior")
        z = posterior.sample(batch.random.normal(posterior.mean))
        distortion = -model.likelihood.log_prob(batch.x, model.decode(z, batch.y))
        rows.append((*posterior, posterior.kl(prior).sum(1), distortion))
    mean, log_var, kl, distortion = (torch.cat(one) for one in zip(*rows, strict=True))
    return DiagonalGaussian(mean, log_var), kl, distortion
