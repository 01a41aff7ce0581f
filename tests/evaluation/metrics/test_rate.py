"""Rate, distortion and the aggregate posterior, against closed forms."""

import math

import pytest
import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.rate import mixture_log_prob, mutual_information, rate
from latentlab.functional.distributions import DiagonalGaussian
from tests.models.variants import batch, build


def gaussians(mean, log_var):
    return DiagonalGaussian(torch.as_tensor(mean).float(), torch.as_tensor(log_var).float())


def test_the_density_of_a_mixture_is_that_of_torch():
    mean, log_var = torch.randn(7, 3), torch.randn(7, 3)
    components = torch.distributions.Independent(torch.distributions.Normal(mean, (0.5 * log_var).exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(7)), components)
    z = torch.randn(600, 3)
    found = mixture_log_prob(DiagonalGaussian(mean, log_var), z)
    torch.testing.assert_close(found.float(), mixture.log_prob(z), atol=1e-4, rtol=1e-4)


def test_equal_posteriors_have_no_mutual_information():
    assert float(mutual_information(gaussians(torch.full((50, 2), 0.7), torch.full((50, 2), -1.0)))) == pytest.approx(0)


def test_separated_codes_have_the_entropy_of_the_images():
    mean = 100.0 * torch.arange(8).unsqueeze(1)
    assert float(mutual_information(gaussians(mean, torch.zeros(8, 1)))) == pytest.approx(math.log(8), abs=1e-6)


def test_two_overlapping_codes_have_the_mutual_information_of_the_integral():
    mean = torch.tensor([[-1.0], [1.0]]).repeat(1_000, 1)
    z = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    one, other = ((-0.5 * (z - m) ** 2).exp() / math.sqrt(2 * math.pi) for m in (-1, 1))
    truth = float(torch.trapezoid(one * (one / (0.5 * one + 0.5 * other)).log(), z))
    assert float(mutual_information(gaussians(mean, torch.zeros(2_000, 1)))) == pytest.approx(truth, abs=0.03)


@pytest.mark.parametrize("variant", ["vae", "cvae", "cvae_label_prior", "vae_mixture", "vae_vampprior"])
def test_rate_and_distortion_are_the_models_own_terms(variant):
    model = build(variant).eval()
    found = dict(rate(model, [batch()]))
    with torch.no_grad():
        terms = model(batch())
    assert found["rate"] == pytest.approx(float(terms["kl"].mean()), rel=1e-5)
    assert found["marginal_kl"] + found["mutual_information"] == pytest.approx(found["rate"])
    assert found["distortion"] == pytest.approx(float(terms["reconstruction"].mean()), rel=1e-5)


def test_a_unit_is_active_where_its_mean_varies():
    model = build("vae").eval()
    with torch.no_grad():
        last = list(model.encoder.parameters())[-2]
        last[:4] = 0  # means of all four units
        last[1] = 100
    assert dict(rate(model, [batch(rows=50)]))["active_units"] == 1


def test_a_variant_without_a_posterior_has_no_rate():
    with pytest.raises(NotApplicable):
        dict(rate(build("ae"), [batch()]))
