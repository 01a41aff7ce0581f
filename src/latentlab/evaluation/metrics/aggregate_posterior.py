"""The aggregate posterior: the mutual information between image and code, and the distance to the prior."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.functional.densities import GaussianMixture
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.codes import Codes

CODES_AT_ONCE = 250  # whose densities under all posteriors are held
SATURATED = 0.5  # nats below its bound from which on the mutual information says little


def posteriors(codes: Codes) -> DiagonalGaussian:
    """q(z|x) of each image, (N, D).

    Raises:
        NotApplicable: the variant has no posterior.
    """
    if codes.log_var is None:
        raise NotApplicable("it has no posterior")
    return DiagonalGaussian(codes.z, codes.log_var)


def mutual_information(of: DiagonalGaussian, others: DiagonalGaussian) -> float:
    """I(x; z) = E log q(z|x) / q(z) in nats, from one code of each posterior `of`, (M, D); at most log(N + 1).

    q(z) is the mixture of the code's own posterior and the N posteriors of `others`, (N, D), images apart from those:
    a lower bound in expectation (Poole et al. 2019, equation 12), which tightens with N.
    """
    own = DiagonalGaussian(of.mean.double(), of.log_var.double())
    noise = torch.randn(own.mean.shape, generator=torch.Generator().manual_seed(0))
    z = own.sample(noise.to(own.mean))
    log_prob = own.log_prob(z)
    count = len(others.mean)
    mixed = torch.logaddexp(log_prob, mixture_log_prob(others, z) + math.log(count)) - math.log(count + 1)
    return float((log_prob - mixed).mean())


def marginal_kl(rate: float, mutual: float, count: int) -> float:
    """KL(q(z) || p(z)) = rate - mutual information of the aggregate posterior q(z), in nats.

    Hoffman and Johnson 2016, equation 4. Where the prior depends on the label, E log q(z) / p(z|y).

    rate: KL(q(z|x) || p(z)), the mean over the images. mutual: see `mutual_information`. count: its N.

    Raises:
        NotApplicable: the mutual information is as large as it can be found from so many images, so that the
            difference would only be the rate minus a constant.
    """
    bound = math.log(count + 1)
    if mutual > bound - SATURATED:
        raise NotApplicable(
            f"its mutual information, {mutual:.2f} nats, is within {SATURATED} of {bound:.2f}, the most that {count} "
            "training images can show"
        )
    return rate - mutual


def mixture_log_prob(components: DiagonalGaussian, z: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
    """log 1/N sum_n N(z; mean_n, var_n) at each code, (M,), in nats; in float64, in chunks."""
    mixture = GaussianMixture.equal(components)
    return torch.cat([mixture.log_prob(codes) for codes in z.double().split(CODES_AT_ONCE)])
