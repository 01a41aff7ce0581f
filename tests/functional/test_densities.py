"""Mixtures of Gaussians against PyTorch's, and the KL to any density."""

import math

import pytest
import torch
import torch.distributions as td
from torch.autograd import gradcheck
from torch.func import vmap

from latentlab.functional.densities import GaussianMixture, StandardGaussian, kl_at, kl_of_units
from latentlab.functional.distributions import DiagonalGaussian
from tests.functional.test_distributions import gaussian, is_mean_of, random

ROWS, COMPONENTS, UNITS = 5, 4, 3
STANDARD = StandardGaussian(ROWS, UNITS, torch.device("cpu"))


def mixture(dtype=torch.float64) -> GaussianMixture:
    """Each row has weights of its own."""
    weight = random(ROWS, COMPONENTS, seed=7, dtype=dtype).log_softmax(1)
    return GaussianMixture(*gaussian(COMPONENTS, UNITS, dtype=dtype), weight)


def as_torch(p: GaussianMixture) -> td.MixtureSameFamily:
    components = td.Independent(td.Normal(p.mean, (0.5 * p.log_var).exp()), 1)
    return td.MixtureSameFamily(td.Categorical(logits=p.log_weight), components.expand(p.log_weight.shape))


def test_log_prob_is_that_of_torch() -> None:
    z = random(ROWS, UNITS, seed=3)
    torch.testing.assert_close(mixture().log_prob(z), as_torch(mixture()).log_prob(z))


def test_log_prob_accepts_several_codes_per_row() -> None:
    z = random(6, ROWS, UNITS, seed=3)
    torch.testing.assert_close(mixture().log_prob(z), torch.stack([mixture().log_prob(one) for one in z]))


def test_single_precision_loses_nothing_where_components_are_narrow_and_far_away() -> None:
    mean, log_var = torch.full((2, UNITS), 50.0), torch.full((2, UNITS), math.log(1e-4))
    narrow = GaussianMixture.equal(DiagonalGaussian(mean, log_var))
    z = mean[:1] + 0.01 * random(1, UNITS, seed=1, dtype=torch.float32)
    assert narrow.log_prob(z).dtype == torch.float32
    torch.testing.assert_close(narrow.log_prob(z), DiagonalGaussian(mean[:1], log_var[:1]).log_prob(z))


def test_gradients_are_right() -> None:
    inputs = [t.requires_grad_() for t in (*mixture(), random(ROWS, UNITS, seed=3))]
    assert gradcheck(lambda m, v, w, z: GaussianMixture(m, v, w).log_prob(z), inputs)


def test_a_mixture_of_equal_weights_is_the_mean_of_the_densities() -> None:
    components, z = gaussian(COMPONENTS, UNITS), random(ROWS, UNITS, seed=3)
    each = torch.stack([DiagonalGaussian(m, v).log_prob(z).exp() for m, v in zip(*components, strict=True)])
    torch.testing.assert_close(GaussianMixture.equal(components, ROWS).log_prob(z), each.mean(0).log())


def test_draws_have_the_density() -> None:
    """E p'(z) / p(z) over draws of p is 1 for any density p'."""
    p = GaussianMixture(*mixture()[:2], mixture().log_weight[:1].expand(20_000, -1))
    z = p.draw(torch.Generator().manual_seed(0))
    narrow = DiagonalGaussian(p.mean[:1], p.log_var[:1] - 1)
    assert is_mean_of((narrow.log_prob(z) - p.log_prob(z)).exp(), torch.tensor(1.0))
    assert is_mean_of(z, as_torch(mixture()).mean[0])


def test_a_row_draws_from_the_components_of_its_own() -> None:
    mean = torch.tensor([[-100.0], [100.0]])
    only = torch.tensor([[0.0, -math.inf], [-math.inf, 0.0]])
    z = GaussianMixture(mean, torch.zeros(2, 1), only).draw(torch.Generator().manual_seed(0))
    assert (z.sign().squeeze(1) == torch.tensor([-1, 1])).all()


@pytest.mark.parametrize("of", [mixture(torch.float32), gaussian(ROWS, UNITS, dtype=torch.float32), STANDARD])
def test_draws_are_those_of_the_generator_or_torchs_own(of) -> None:
    torch.manual_seed(5)
    assert torch.equal(of.draw(), of.draw(torch.Generator().manual_seed(5)))


def test_a_standard_gaussian_is_one_of_mean_0_and_variance_1() -> None:
    same, z = DiagonalGaussian(*torch.zeros(2, ROWS, UNITS)), random(ROWS, UNITS, dtype=torch.float32)
    assert torch.equal(STANDARD.log_prob(z), same.log_prob(z))
    assert torch.equal(STANDARD.log_prob(z.half()), same.log_prob(z.half()))
    one, other = (of.draw(torch.Generator().manual_seed(5)) for of in (STANDARD, same))
    assert torch.equal(one, other)


def test_the_kl_has_a_closed_form_to_a_gaussian_alone() -> None:
    q, p = gaussian(ROWS, UNITS), gaussian(ROWS, UNITS, seed=5)
    torch.testing.assert_close(kl_of_units(q, p), q.kl(p))
    assert torch.equal(kl_of_units(q, STANDARD), q.kl(DiagonalGaussian(*torch.zeros(2, ROWS, UNITS))))
    assert kl_of_units(q, mixture()) is None


def test_the_kl_at_draws_is_the_kl_in_the_mean() -> None:
    q, p = gaussian(1, UNITS), gaussian(1, UNITS, seed=5)
    same = GaussianMixture.equal(DiagonalGaussian(*(t.expand(2, -1) for t in p)))
    z = q.sample(random(20_000, 1, UNITS, seed=8))
    assert is_mean_of(kl_at(q, same, z), q.kl(p).sum(1))


def test_it_can_be_vectorised() -> None:
    z = random(2, ROWS, UNITS, seed=3)
    torch.testing.assert_close(vmap(mixture().log_prob)(z), mixture().log_prob(z))
