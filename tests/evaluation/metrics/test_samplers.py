"""Samplers of codes, by the moments of their draws."""

import pytest
import torch

from latentlab.evaluation.metrics.samplers import generate, samplers, uniform_labels
from latentlab.models.codes import Codes
from latentlab.models.priors import has_prior, has_standard_prior
from tests.models.variants import build

MIX = torch.tensor([[2.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.3], [0.0, 0.0, 0.0, 0.7]])
SHIFT = torch.tensor([1.0, -2.0, 0.0, 5.0])


def codes(count=5_000):
    z = torch.randn(count, 4, generator=torch.Generator().manual_seed(0)) @ MIX + SHIFT
    return Codes(z, torch.arange(count) % 10, None)


def drawn(variant, source, count=20_000, seed=1):
    return samplers(build(variant).eval(), codes())[source](count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("variant", ["ae", "sparse_l1", "denoising"])
def test_a_variant_without_a_prior_is_sampled_from_a_fitted_gaussian(variant):
    assert [*samplers(build(variant), codes())] == ["gaussian", "mixture"]
    assert not has_prior(build(variant))


@pytest.mark.parametrize("variant", ["vae", "cvae", "cvae_label_prior"])
def test_a_variant_with_a_prior_is_sampled_from_it(variant):
    assert [*samplers(build(variant), codes())] == ["prior", "mixture"]
    z, _ = drawn(variant, "prior")
    torch.testing.assert_close(z.mean(0), torch.zeros(4), atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(4), atol=0.04, rtol=0)


def test_the_prior_of_each_label_is_sampled():
    model = build("cvae_label_prior").eval()
    with torch.no_grad():
        model.label_prior.mean[:] = torch.arange(10.0).unsqueeze(1)
    z, y = samplers(model, codes())["prior"](10_000, torch.Generator().manual_seed(0))
    for label in range(10):
        assert float(z[y == label].mean()) == pytest.approx(label, abs=0.1)


@pytest.mark.parametrize("source", ["gaussian", "mixture"])
def test_fitted_samplers_have_the_mean_and_covariance_of_the_codes(source):
    z, _ = drawn("ae", source)
    torch.testing.assert_close(z.mean(0), codes().z.mean(0), atol=0.08, rtol=0)
    torch.testing.assert_close(torch.cov(z.T), torch.cov(codes().z.T), atol=0.15, rtol=0.05)


@pytest.mark.parametrize("source", ["gaussian", "mixture"])
def test_constant_units_stay_constant(source):
    constant = codes()._replace(z=codes().z * torch.tensor([1.0, 1.0, 0.0, 1.0]))
    z, _ = samplers(build("ae"), constant)[source](500, torch.Generator().manual_seed(0))
    assert float(z[:, 2].abs().max()) < 0.05


def test_a_mixture_separates_clusters_that_a_gaussian_merges():
    apart = torch.cat((torch.randn(2_000, 4) - 20, torch.randn(2_000, 4) + 20))
    two = Codes(apart, torch.zeros(4_000, dtype=torch.int64), None)
    sources = samplers(build("ae"), two)
    between = {name: float((source(4_000, torch.Generator().manual_seed(0))[0].abs() < 10).double().mean())
               for name, source in sources.items()}  # fmt: skip
    assert between["mixture"] == 0
    assert between["gaussian"] > 0.2


def test_a_decoder_conditioned_on_the_label_gets_codes_like_those_of_the_label():
    y = torch.arange(3_000) % 10
    around = Codes(torch.randn(3_000, 4) + 8.0 * y.unsqueeze(1), y, None)
    z, labels = samplers(build("cvae"), around)["mixture"](2_000, torch.Generator().manual_seed(0))
    for label in range(10):
        assert float(z[labels == label].mean()) == pytest.approx(8.0 * label, abs=0.3)
        assert float(z[labels == label].std()) == pytest.approx(1, abs=0.15)


def test_a_label_without_training_codes_gets_codes_of_all_labels():
    y = torch.arange(900) % 9
    z, labels = samplers(build("cvae"), Codes(torch.randn(900, 4) + 3, y, None))["mixture"](
        1_000, torch.Generator().manual_seed(0)
    )
    assert float(z[labels == 9].mean()) == pytest.approx(3, abs=0.3)


def test_a_prior_is_standard_only_where_it_is_so_for_every_label():
    model = build("cvae_label_prior").eval()
    assert has_standard_prior(model)
    with torch.no_grad():
        model.label_prior.mean[7] += 1
    assert not has_standard_prior(model)
    assert has_standard_prior(build("vae"))
    assert not has_standard_prior(build("vae_mixture"))
    assert not has_standard_prior(build("ae"))


@pytest.mark.parametrize("source", ["prior", "mixture"])
def test_draws_are_the_same_for_a_seed(source):
    (z, y), (again, y_again), (other, _) = (drawn("cvae", source, 200, seed) for seed in (1, 1, 2))
    assert torch.equal(z, again)
    assert torch.equal(y, y_again)
    assert not torch.equal(z, other)


def test_labels_of_a_conditional_model_are_uniform():
    assert torch.bincount(uniform_labels(build("cvae"), 200)).tolist() == [20] * 10
    assert uniform_labels(build("vae"), 200).tolist() == [0] * 200


def test_decoding_in_chunks_equals_decoding_at_once():
    model = build("cvae").eval()
    z, y = torch.randn(2_500, 4), uniform_labels(model, 2_500)
    with torch.no_grad():
        torch.testing.assert_close(generate(model, z, y), model.decode(z, y))
