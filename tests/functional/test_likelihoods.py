"""Likelihoods, compared with torch, samples and integrals, and at the limits of floating point."""

import math

import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.autograd import gradcheck
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import binary_cross_entropy_with_logits

from latentlab.functional.distributions import (
    SMALLEST_SCALE,
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    Likelihood,
    Scale,
)

LIKELIHOODS = {
    "bernoulli": (Bernoulli, lambda p: td.Bernoulli(logits=p)),
    "gaussian": (lambda: Gaussian(0.3), lambda p: td.Normal(p, 0.3)),
    "gaussian, learned": (lambda: Gaussian(0.3, learned=True), lambda p: td.Normal(p, 0.3)),
    "laplace": (lambda: Laplace(0.2), lambda p: td.Laplace(p, 0.2)),
    "laplace, learned": (lambda: Laplace(0.2, learned=True), lambda p: td.Laplace(p, 0.2)),
    "continuous Bernoulli": (ContinuousBernoulli, lambda p: td.ContinuousBernoulli(logits=p)),
}
each_likelihood = pytest.mark.parametrize(("make", "reference"), LIKELIHOODS.values(), ids=LIKELIHOODS.keys())


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def is_mean_of(samples: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether the samples' mean is within five standard errors of what is expected."""
    error = samples.std(0) / math.sqrt(len(samples))
    return bool(((samples.mean(0) - expected).abs() <= 5 * error).all())


@each_likelihood
def test_log_prob_is_that_of_torch_summed_over_pixels(make, reference) -> None:
    torch.manual_seed(0)
    params = 3 * random(4, 2, 5, 5)
    x = reference(params).sample()
    expected = reference(params).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(make().double().log_prob(x, params), expected, rtol=1e-6, atol=1e-5)


@each_likelihood
def test_mean_image_is_the_mean_of_samples(make, reference) -> None:
    torch.manual_seed(0)
    params = 3 * random(1, 1, 3, 3)
    samples = reference(params).sample((20_000,))
    assert is_mean_of(samples, make().double().mean(params))


@each_likelihood
def test_log_prob_of_samples_is_minus_the_entropy(make, reference) -> None:
    torch.manual_seed(0)
    params = random(1, 1, 2, 2)
    samples = reference(params).sample((20_000,))[:, 0]
    log_prob = make().double().log_prob(samples, params.expand(20_000, 1, 2, 2))
    assert is_mean_of(log_prob, -reference(params).entropy().sum())


@each_likelihood
def test_gradients_of_log_prob_and_mean_are_right(make, reference) -> None:
    likelihood = make().double()
    x = random(2, 1, 2, 2, seed=1).sigmoid()
    params = random(2, 1, 2, 2).requires_grad_()
    assert gradcheck(lambda p: likelihood.log_prob(x, p), (params,))
    assert gradcheck(likelihood.mean, (params,))


@each_likelihood
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("param", [-1e9, -1e4, -20.0, 0.0, 0.5, 1.0, 20.0, 1e4, 1e9])
def test_constant_images_and_extreme_params_stay_finite(make, reference, level: float, param: float) -> None:
    likelihood = make()
    x, params = torch.full((2, 1, 28, 28), level), torch.full((2, 1, 28, 28), param).requires_grad_()
    log_prob, mean = likelihood.log_prob(x, params), likelihood.mean(params)
    inputs = [params, *likelihood.parameters()]
    gradients = torch.autograd.grad((log_prob.sum() + mean.sum()), inputs)
    assert all(each.isfinite().all() for each in (log_prob, mean, *gradients))


@each_likelihood
def test_half_precision_is_computed_in_float32(make, reference) -> None:
    likelihood, x = make(), random(2, 1, 8, 8, seed=1, dtype=torch.float32).sigmoid()
    params = random(2, 1, 8, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_prob, mean = likelihood.log_prob(x, params), likelihood.mean(params)
    assert torch.equal(log_prob, likelihood.log_prob(x, params.float()))
    assert torch.equal(mean, likelihood.mean(params.float()))


@each_likelihood
def test_log_prob_of_no_images_is_empty(make, reference) -> None:
    nothing = torch.zeros(0, 1, 8, 8)
    assert make().log_prob(nothing, nothing).shape == (0,)


class Cost(nn.Module):
    def __init__(self, likelihood: Likelihood) -> None:
        super().__init__()
        self.likelihood = likelihood

    def forward(self, x: torch.Tensor, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.likelihood.log_prob(x, params), self.likelihood.mean(params)


@each_likelihood
def test_likelihood_under_vmap_is_the_likelihood_of_each(make, reference) -> None:
    costs = [Cost(make()) for _ in range(3)]
    for offset, cost in enumerate(costs):
        for parameter in cost.parameters():
            parameter.data += offset
    state = stack_module_state(costs)
    x, params = random(2, 1, 4, 4, seed=1).sigmoid().float(), random(3, 2, 1, 4, 4).float()
    merged = {**state[0], **state[1]}
    together = vmap(lambda s, p: functional_call(costs[0], s, (x, p)))(merged, params)
    apart = [cost(x, p) for cost, p in zip(costs, params, strict=True)]
    for stacked, each in zip(together, zip(*apart, strict=True), strict=True):
        torch.testing.assert_close(stacked, torch.stack(each))


@pytest.mark.parametrize("logit", [-200.0, -90.0, -16.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 16.0, 90.0, 200.0])
@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_the_bernoulli_and_its_slope_are_precise_at_every_logit_in_float32(logit: float, grey: float) -> None:
    params = torch.full((1, 1, 1, 1), logit, requires_grad=True)
    x = torch.full_like(params, grey)
    found = Bernoulli().log_prob(x, params)
    (slope,) = torch.autograd.grad(found.sum(), params)
    exact = -binary_cross_entropy_with_logits(params.double(), x.double()).squeeze()
    torch.testing.assert_close(found.double().squeeze(), exact, atol=2e-7, rtol=2e-7)  # of terms up to 1: two roundings
    torch.testing.assert_close(slope, x - params.sigmoid(), atol=2e-7, rtol=0)


def test_only_the_bernoulli_is_discrete() -> None:
    assert Bernoulli.discrete
    assert not any(kind.discrete for kind in (Gaussian, Laplace, ContinuousBernoulli))


# the continuous Bernoulli near zero, where its closed forms are 0 / 0

LOGITS = [-30.0, -3.0, -0.31, -0.29, -1e-3, -1e-12, 0.0, 1e-12, 1e-3, 0.29, 0.31, 3.0, 30.0]


def log_density(x: torch.Tensor, logit: torch.Tensor) -> torch.Tensor:
    return ContinuousBernoulli().log_prob(x[:, None, None, None], logit.expand(len(x))[:, None, None, None])


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one_and_to_its_mean(logit: float) -> None:
    nodes = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    density = log_density(nodes, torch.tensor(logit, dtype=torch.float64)).exp()
    weights = torch.ones_like(nodes)  # Simpson's rule
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    weights = weights / 60_000
    mean = ContinuousBernoulli().mean(torch.full((1, 1, 1, 1), logit, dtype=torch.float64)).item()
    assert (weights * density).sum().item() == pytest.approx(1, abs=1e-10)
    assert (weights * density * nodes).sum().item() == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_gradients_are_right_near_zero(logit: float) -> None:
    params = torch.full((1, 1, 2, 2), logit, dtype=torch.float64).requires_grad_()
    x = torch.tensor([0.0, 0.3, 0.5, 1.0], dtype=torch.float64).view(1, 1, 2, 2)
    likelihood = ContinuousBernoulli()
    assert gradcheck(lambda p: likelihood.log_prob(x, p), (params,))
    assert gradcheck(likelihood.mean, (params,))


@pytest.mark.parametrize("logit", LOGITS)
def test_slope_of_the_continuous_bernoulli_is_the_pixel_minus_the_mean(logit: float) -> None:
    x, param = torch.tensor([0.25]), torch.tensor(logit)
    mean = ContinuousBernoulli().mean(param.view(1, 1, 1, 1)).squeeze()
    slope = grad(lambda p: log_density(x, p).sum())(param)
    torch.testing.assert_close(slope, x[0] - mean, rtol=1e-5, atol=2e-6)


def test_steep_continuous_bernoulli_is_precise_in_float32() -> None:
    """At logit 12,345.678 and 2^-14 below white: log(logit) - logit / 2^14."""
    log_prob = log_density(torch.tensor([1 - 2**-14]), torch.tensor(12_345.678))
    assert log_prob.item() == pytest.approx(8.667541, abs=1e-5)


def test_mean_of_the_continuous_bernoulli_is_within_the_unit_interval_and_symmetric() -> None:
    logit = torch.tensor([-1e4, -1.0, 0.0, 1.0, 1e4]).view(1, 1, 1, 5)
    mean = ContinuousBernoulli().mean(logit).flatten().tolist()
    assert mean == pytest.approx([1e-4, 0.4180233, 0.5, 0.5819767, 1 - 1e-4], abs=1e-6)


# fixed and learned scales


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("start", [1.1e-3, 0.1, 1.0, 30.0])
def test_scale_has_its_initial_value(start: float, learned: bool) -> None:
    assert Scale(start, learned, "sigma")().item() == pytest.approx(start, rel=1e-5)


def test_only_a_learned_scale_is_a_parameter() -> None:
    assert [name for name, _ in Gaussian(learned=True).named_parameters()] == ["sigma.unbounded_log"]
    assert not list(Gaussian().parameters()) + list(Gaussian().state_dict())


def test_learned_scale_cannot_fall_below_its_bound_and_keeps_a_finite_gradient() -> None:
    scale = Scale(1.0, True, "sigma")
    nn.init.constant_(scale.unbounded_log, -1e4)
    scale().backward()
    assert scale().item() == pytest.approx(SMALLEST_SCALE, rel=1e-5)
    assert scale.unbounded_log.grad.isfinite()


@pytest.mark.parametrize(
    ("kind", "best"),
    [
        (Gaussian, lambda residual: residual.square().mean().sqrt()),
        (Laplace, lambda residual: residual.abs().mean()),
    ],
)
def test_gradient_of_a_learned_scale_is_zero_at_the_size_of_the_residuals(kind, best) -> None:
    """Rybkin et al. 2021: the root of the mean squared error; for a Laplacian, the mean deviation."""
    x, params = random(4, 1, 8, 8).float(), random(4, 1, 8, 8, seed=1).float()
    optimum = best(x - params).item()

    def slope(start: float) -> float:
        likelihood = kind(start, learned=True)
        likelihood.log_prob(x, params).mean().backward()
        return next(likelihood.parameters()).grad.item()

    assert slope(0.9 * optimum) > 5
    assert slope(optimum) == pytest.approx(0, abs=1e-2)
    assert slope(1.1 * optimum) < -5


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_scale_that_is_not_positive_and_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"^sigma: expected a number above 0, found"):
        Gaussian(bad)
    with pytest.raises(ValueError, match=r"^scale: expected a number above 0, found"):
        Laplace(bad)


def test_learned_scale_with_an_initial_value_at_its_bound_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^sigma: expected a number above 0\.001, found 0\.001"):
        Gaussian(SMALLEST_SCALE, learned=True)


def test_integer_scale_is_accepted() -> None:
    assert Gaussian(sigma=1).sigma().item() == 1.0
