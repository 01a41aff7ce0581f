"""The importance-weighted bound on a model whose likelihood is known in closed form."""

import math

import pytest
import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.likelihood import importance_weighted, likelihood
from latentlab.functional.randomness import RandomSource
from tests.models.linear_gaussian import X, batch_of, exact, linear_gaussian
from tests.models.variants import batch, build


def test_with_the_exact_posterior_one_code_gives_the_likelihood_itself():
    found = importance_weighted(linear_gaussian(), batch_of(X), 1)
    torch.testing.assert_close(found, exact().double(), atol=1e-4, rtol=1e-5)


@pytest.mark.slow
def test_with_another_posterior_the_bound_increases_to_the_likelihood():
    model = linear_gaussian(wrong_by=0.4)
    one, some, many = (float(importance_weighted(model, batch_of(X), k).mean()) for k in (1, 10, 3000))
    truth = float(exact().mean())
    assert one < some < truth
    assert many == pytest.approx(truth, abs=0.01)


def test_the_mean_is_over_exactly_the_drawn_codes():
    model, random = linear_gaussian(wrong_by=0.4), RandomSource(3)
    posterior = model.encode(X, batch_of(X).y).posterior
    weights = []
    for _ in range(3):
        z = posterior.sample(random.normal(posterior.mean))
        joint = model.likelihood.log_prob(X, model.decode_parameters(z, batch_of(X).y)) + model.prior(
            batch_of(X).y
        ).log_prob(z)
        weights.append((joint - posterior.log_prob(z)).exp())
    expected = torch.stack(weights).mean(0).log()
    found = importance_weighted(model, batch_of(X, seed=3), 3)
    torch.testing.assert_close(found, expected.double(), atol=1e-4, rtol=1e-5)


@pytest.mark.slow
def test_later_codes_are_not_lost_by_rounding():
    """A sum of equal weights in float32 stops growing at 2^24, and is rounded long before."""
    many = 3_000
    found = importance_weighted(linear_gaussian(), batch_of(X[:1]), many)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, exact()[:1].double(), atol=1e-5, rtol=0)


def test_the_metrics_and_their_standard_error():
    found = dict(likelihood(linear_gaussian(), [batch_of(X[:150]), batch_of(X[150:])], 1, "nll_binarized"))
    assert found["nll_binarized"] == pytest.approx(-float(exact().mean()), abs=1e-4)
    assert found["nll_binarized_stderr"] == pytest.approx(float(exact().std()) / math.sqrt(200), rel=1e-3)
    assert found["nll_binarized_samples"] == 1


def test_a_model_conditioned_on_the_label_gives_log_p_of_x_given_y():
    model = build("cvae_label_prior").eval()
    with torch.no_grad():
        model.label_prior.mean[3] += 5  # makes label 3 unlikely for every posterior
    own = batch(rows=6)
    moved = own._replace(y=torch.full_like(own.y, 3))
    given_own, given_three = (importance_weighted(model, b, 50).mean() for b in (own, moved))
    assert given_three < given_own - 5


def test_a_variant_without_a_posterior_has_no_likelihood():
    with pytest.raises(NotApplicable, match="no posterior"):
        dict(likelihood(build("ae"), [batch()], 2))
