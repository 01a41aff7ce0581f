"""Mutual information and the KL of the aggregate posterior to the prior, against closed forms."""

import math

import pytest
import torch

from latentlab.evaluation.metrics.aggregate_posterior import (
    marginal_kl,
    mixture_log_prob,
    mutual_information,
    posteriors,
)
from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.codes import Codes, collect_codes
from tests.models.variants import batch, build


def gaussians(mean, log_var):
    return DiagonalGaussian(torch.as_tensor(mean).float(), torch.as_tensor(log_var).float())


def linear_gaussian(count, seed, variance=0.25):
    """Posteriors of one unit whose means are N(0, 1 - variance): their mixture is the prior, N(0, 1)."""
    generator = torch.Generator().manual_seed(100 + seed)  # apart from the seed of the draws of codes
    mean = torch.randn(count, 1, generator=generator) * math.sqrt(1 - variance)
    return gaussians(mean, torch.full((count, 1), math.log(variance)))


def test_the_density_of_a_mixture_is_that_of_torch():
    mean, log_var = torch.randn(7, 3), torch.randn(7, 3)
    components = torch.distributions.Independent(torch.distributions.Normal(mean, (0.5 * log_var).exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(7)), components)
    z = torch.randn(600, 3)
    found = mixture_log_prob(DiagonalGaussian(mean, log_var), z)
    torch.testing.assert_close(found.float(), mixture.log_prob(z), atol=1e-4, rtol=1e-4)


def test_equal_posteriors_have_no_mutual_information():
    equal = gaussians(torch.full((50, 2), 0.7), torch.full((50, 2), -1.0))
    assert mutual_information(equal, equal) == pytest.approx(0, abs=1e-9)


def test_separated_codes_have_the_entropy_of_the_images():
    """Each test image is one more beside the eight training images."""
    mean = 100.0 * torch.arange(8).unsqueeze(1)
    found = mutual_information(gaussians(mean + 50, torch.zeros(8, 1)), gaussians(mean, torch.zeros(8, 1)))
    assert found == pytest.approx(math.log(9), abs=1e-6)


def test_a_gaussian_channel_has_the_mutual_information_of_the_closed_form():
    found = mutual_information(linear_gaussian(4_000, 1), linear_gaussian(4_000, 2))
    assert found == pytest.approx(0.5 * math.log(1 / 0.25), abs=0.03)


def test_posteriors_whose_mixture_is_the_prior_have_no_distance_from_it():
    test, train = linear_gaussian(4_000, 1), linear_gaussian(4_000, 2)
    rate = float(test.kl(gaussians([0.0], [0.0])).sum(1).mean())
    assert marginal_kl(rate, mutual_information(test, train), 4_000) == pytest.approx(0, abs=0.03)


def test_it_is_what_a_loop_over_the_codes_finds():
    test, train = linear_gaussian(30, 2), linear_gaussian(50, 3)
    noise = torch.randn(30, 1, generator=torch.Generator().manual_seed(0))
    values = []
    for (mean,), (log_var,), (e,) in zip(*(rows.tolist() for rows in (*test, noise)), strict=True):
        z, terms = mean + math.exp(log_var / 2) * e, []
        components = [(mean, log_var), *zip(train.mean[:, 0].tolist(), train.log_var[:, 0].tolist(), strict=True)]
        for m, v in components:
            terms.append(math.exp(-0.5 * ((z - m) ** 2 / math.exp(v) + v + math.log(2 * math.pi))))
        values.append(math.log(terms[0] / (sum(terms) / len(terms))))
    assert mutual_information(test, train) == pytest.approx(sum(values) / 30, abs=1e-5)


def test_a_saturated_mutual_information_shows_no_distance():
    """Codes that hold more than log N nats: the difference would reward the lower rate."""
    separated = gaussians(100.0 * torch.arange(2_000).unsqueeze(1), torch.zeros(2_000, 1))
    mutual = mutual_information(gaussians(separated.mean + 50, separated.log_var), separated)
    with pytest.raises(NotApplicable, match=r"7\.60 nats, is within 0\.5 of 7\.60, the most that 2000 training images"):
        marginal_kl(20.0, mutual, 2_000)
    assert marginal_kl(20.0, math.log(2_001) - 0.51, 2_000) == pytest.approx(20 - math.log(2_001) + 0.51)


def test_the_posteriors_are_those_of_the_codes():
    codes = collect_codes(build("vae").eval(), [batch()])
    with torch.no_grad():
        expected = build("vae").eval().encode(batch().x, batch().y).posterior
    torch.testing.assert_close(posteriors(codes), expected)
    with pytest.raises(NotApplicable, match="no posterior"):
        posteriors(Codes(codes.z, codes.y))
