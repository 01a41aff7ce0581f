"""The Gaussian of codes, compared with torch and with samples, and at the limits of floating point."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions as td
from torch.autograd import gradcheck
from torch.func import vmap

from latentlab.functional.distributions import DiagonalGaussian

small = st.floats(-4, 4, width=32)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def gaussian(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> DiagonalGaussian:
    return DiagonalGaussian(random(*shape, seed=seed, dtype=dtype), random(*shape, seed=seed + 1, dtype=dtype))


def as_torch(q: DiagonalGaussian) -> td.Normal:
    return td.Normal(q.mean, (q.log_var / 2).exp())


def is_mean_of(samples: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether the samples' mean is within five standard errors of what is expected."""
    error = samples.std(0) / math.sqrt(len(samples))
    return bool(((samples.mean(0) - expected).abs() <= 5 * error).all())


@pytest.mark.parametrize("prior_shape", [(4, 3), (3,)])
def test_kl_is_that_of_torch(prior_shape: tuple[int, ...]) -> None:
    q, p = gaussian(4, 3), gaussian(*prior_shape, seed=9)
    torch.testing.assert_close(q.kl(p), td.kl_divergence(as_torch(q), as_torch(p)))


def test_kl_is_the_mean_log_ratio_of_samples() -> None:
    q, p = gaussian(3), gaussian(3, seed=9)
    z = q.sample(random(100_000, 3, seed=5))
    assert is_mean_of(as_torch(q).log_prob(z) - as_torch(p).log_prob(z), q.kl(p))


def test_kl_to_standard_is_half_of_square_plus_variance_minus_log_variance_minus_one() -> None:
    q = DiagonalGaussian(torch.tensor([0.0, 2.0, 0.0, 1.0]), torch.tensor([0.0, 0.0, 4.0, 9.0]).clamp(min=1).log())
    expected = torch.tensor([0.0, 2.0, 0.5 * (3 - math.log(4)), 0.5 * (9 - math.log(9))])
    torch.testing.assert_close(q.kl_to_standard(), expected)


def test_kl_to_standard_is_kl_to_a_standard_prior() -> None:
    q, standard = gaussian(4, 3), DiagonalGaussian(*torch.zeros(2, 3, dtype=torch.float64))
    torch.testing.assert_close(q.kl_to_standard(), q.kl(standard))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(small, small, small, small), min_size=1, max_size=5))
def test_kl_is_never_negative(rows: list[tuple[float, float, float, float]]) -> None:
    mean, log_var, prior_mean, prior_log_var = torch.tensor(rows).unbind(1)
    assert (DiagonalGaussian(mean, log_var).kl(DiagonalGaussian(prior_mean, prior_log_var)) >= -1e-6).all()


def test_kl_to_itself_is_zero() -> None:
    q = gaussian(4, 3, dtype=torch.float32)
    assert (q.kl(q) == 0).all()


def test_kl_of_a_nearly_standard_posterior_is_precise_in_float32() -> None:
    log_var = torch.tensor([1e-3, -1e-3])
    exact = 0.5 * (torch.expm1(log_var.double()) - log_var.double())
    q, standard = DiagonalGaussian(torch.zeros(2), log_var), DiagonalGaussian(torch.zeros(2), torch.zeros(2))
    for kl in (q.kl_to_standard(), q.kl(standard)):
        torch.testing.assert_close(kl.double(), exact, rtol=1e-3, atol=0)


def test_log_prob_is_that_of_torch() -> None:
    q, z = gaussian(4, 3), random(4, 3, seed=7)
    torch.testing.assert_close(q.log_prob(z), as_torch(q).log_prob(z).sum(-1))


def test_log_prob_accepts_several_samples_per_code() -> None:
    q, z = gaussian(4, 3), random(5, 4, 3, seed=7)
    torch.testing.assert_close(q.log_prob(z), torch.stack([q.log_prob(each) for each in z]))


def test_density_integrates_to_one_by_sampling() -> None:
    q, wide = gaussian(2), td.Normal(torch.zeros(2, dtype=torch.float64), 3.0)
    z = 3 * random(100_000, 2, seed=5)
    assert is_mean_of((q.log_prob(z) - wide.log_prob(z).sum(-1)).exp(), torch.tensor(1.0))


def test_samples_have_the_mean_and_variance_of_the_gaussian() -> None:
    q = gaussian(3)
    z = q.sample(random(100_000, 3, seed=5))
    assert is_mean_of(z, q.mean)
    assert is_mean_of((z - q.mean).square(), q.log_var.exp())


def test_gradient_of_a_sample_is_one_to_the_mean_and_half_sigma_noise_to_the_log_variance() -> None:
    mean, log_var, noise = (
        random(4, 3).requires_grad_(),
        random(4, 3, seed=1).requires_grad_(),
        random(4, 3, seed=2),
    )
    to_mean, to_log_var = torch.autograd.grad(DiagonalGaussian(mean, log_var).sample(noise).sum(), (mean, log_var))
    torch.testing.assert_close(to_mean, torch.ones_like(mean))
    torch.testing.assert_close(to_log_var, 0.5 * (log_var / 2).exp() * noise)


def test_gradients_of_the_gaussian_are_right() -> None:
    inputs = tuple(random(2, 3, seed=seed).requires_grad_() for seed in range(4))
    assert gradcheck(lambda m, v, n, _: DiagonalGaussian(m, v).sample(n), inputs)
    assert gradcheck(lambda m, v, n, _: DiagonalGaussian(m, v).log_prob(n), inputs)
    assert gradcheck(lambda m, v, n, _: DiagonalGaussian(m, v).kl_to_standard(), inputs)
    assert gradcheck(lambda m, v, n, w: DiagonalGaussian(m, v).kl(DiagonalGaussian(n, w)), inputs)


@pytest.mark.parametrize("log_var", [-20.0, 20.0])
@pytest.mark.parametrize("prior_log_var", [-20.0, 20.0])
def test_gaussian_is_finite_for_extreme_variances(log_var: float, prior_log_var: float) -> None:
    mean, log = torch.zeros(1, 1).requires_grad_(), torch.full((1, 1), log_var).requires_grad_()
    q, p = DiagonalGaussian(mean, log), DiagonalGaussian(torch.ones(1), torch.tensor([prior_log_var]))
    values = [q.kl(p), q.kl_to_standard(), q.log_prob(torch.ones(1, 1)), q.sample(torch.ones(1, 1))]
    gradients = [torch.autograd.grad(value.sum(), (mean, log), allow_unused=True) for value in values]
    assert all(value.isfinite().all() for value in values)
    assert all(g.isfinite().all() for pair in gradients for g in pair if g is not None)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_kl_of_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    q, p = gaussian(4, 3, dtype=dtype), gaussian(4, 3, seed=9, dtype=dtype)
    with torch.autocast("cpu", dtype=dtype):
        kl, to_standard, log_prob = q.kl(p), q.kl_to_standard(), q.log_prob(p.mean)
    fine_q, fine_p = DiagonalGaussian(*(t.float() for t in q)), DiagonalGaussian(*(t.float() for t in p))
    assert torch.equal(kl, fine_q.kl(fine_p))
    assert torch.equal(to_standard, fine_q.kl_to_standard())
    assert torch.equal(log_prob, fine_q.log_prob(fine_p.mean))


def test_gaussian_under_vmap_is_the_gaussian_of_each() -> None:
    mean, log_var, noise = random(5, 4, 3), random(5, 4, 3, seed=1), random(5, 4, 3, seed=2)

    def of_one(mean: torch.Tensor, log_var: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, ...]:
        q = DiagonalGaussian(mean, log_var)
        return q.sample(noise), q.kl_to_standard(), q.kl(DiagonalGaussian(noise, mean)), q.log_prob(noise)

    one_by_one = zip(*(of_one(*each) for each in zip(mean, log_var, noise, strict=True)), strict=True)
    for together, apart in zip(vmap(of_one)(mean, log_var, noise), one_by_one, strict=True):
        torch.testing.assert_close(together, torch.stack(apart))
