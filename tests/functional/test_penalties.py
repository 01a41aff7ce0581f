"""Sparsity penalties, compared with values computed by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions as td
from torch.autograd import gradcheck
from torch.func import vmap

from latentlab.functional.batch_top_k import BatchTopK
from latentlab.functional.penalties import L1, Activity, KLToTarget, Penalty, TopK, keep_largest, kl_to_target

PENALTIES = [L1(0.1, 0.0), KLToTarget(1.0, 0.05, 0.5), TopK(1.0, 2, 0.0), BatchTopK(1.0, 2, 0.0)]
each_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)


def mean(code: torch.Tensor) -> torch.Tensor:
    return code.mean(0)


def random_code(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_l1_penalty_rectifies_the_code_and_sums_it() -> None:
    penalty = L1(0.1, 0.0)
    raw = torch.tensor([[-1.0, 2.0, 0.5], [0.25, -3.0, -1.0]])
    code = penalty.activate(raw)
    assert code.tolist() == [[0.0, 2.0, 0.5], [0.25, 0.0, 0.0]]
    assert penalty(Activity(raw, code, mean)).tolist() == [2.5, 0.25]


def test_l1_penalty_raises_the_units_that_no_image_activates() -> None:
    # unit 2 is 1 and 3 below zero; unit 0 is active on one image, and is left where it is negative
    raw = torch.tensor([[-4.0, 2.0, -1.0], [5.0, 0.5, -3.0]], requires_grad=True)
    penalty = L1(0.1, 0.0)
    cost = penalty(Activity(raw, penalty.activate(raw), mean))
    assert cost.tolist() == [4.0, 7.5]
    cost.mean().backward()
    assert raw.grad.tolist() == [[0.0, 0.5, -0.5], [0.5, 0.5, -0.5]]


@pytest.mark.parametrize(
    ("activity", "rho", "nats"),
    [(0.05, 0.05, 0.0), (0.5, 0.05, 0.494632), (0.2, 0.05, 0.093943), (0.5, 0.5, 0.0), (0.1, 0.5, 0.510826)],
)
def test_kl_to_target_has_these_values(activity: float, rho: float, nats: float) -> None:
    assert kl_to_target(torch.tensor([activity]), rho).item() == pytest.approx(nats, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.floats(1e-3, 1 - 1e-3), st.floats(1e-3, 1 - 1e-3))
def test_kl_to_target_is_that_of_torch(activity: float, rho: float) -> None:
    target, observed = (td.Bernoulli(torch.tensor([p], dtype=torch.float64)) for p in (rho, activity))
    expected = td.kl_divergence(target, observed)
    torch.testing.assert_close(kl_to_target(observed.probs, rho), expected, rtol=1e-6, atol=1e-9)


def test_kl_to_target_is_the_mean_log_ratio_of_samples() -> None:
    torch.manual_seed(0)
    target, observed = td.Bernoulli(torch.tensor(0.05)), td.Bernoulli(torch.tensor(0.2))
    spikes = target.sample((100_000,))
    ratio = target.log_prob(spikes) - observed.log_prob(spikes)
    error = ratio.std().item() / math.sqrt(len(ratio))
    assert kl_to_target(torch.tensor([0.2]), 0.05).item() == pytest.approx(ratio.mean().item(), abs=5 * error)


@pytest.mark.parametrize(("activity", "nats"), [(0.0, 0.492261), (1.0, 12.926220)])
def test_kl_of_a_unit_that_is_never_or_always_active_is_finite(activity: float, nats: float) -> None:
    """-H(0.05) + 0.05 * log(1e6), and -H(0.05) + 0.95 * log(1e6)."""
    on = torch.tensor([activity], requires_grad=True)
    kl = kl_to_target(on, 0.05)
    kl.sum().backward()
    assert kl.item() == pytest.approx(nats, abs=1e-4)
    assert on.grad.isfinite().all()


def test_kl_penalty_depends_on_the_batch_and_is_the_same_for_each_image() -> None:
    penalty = KLToTarget(1.0, 0.05, 0.5)
    code = torch.tensor([[0.0, 1.0], [0.1, 0.0], [0.05, 0.5]])  # units active 0.05 and 0.5 of the time
    torch.testing.assert_close(penalty(Activity(code, code, mean)), torch.full((3,), 0.494632))


def test_kl_penalty_uses_the_batch_mean_that_is_passed() -> None:
    """On several devices it is the mean over all of them, which no single device can compute."""
    code = torch.zeros(2, 1)
    cost = KLToTarget(1.0, 0.05, 0.5)(Activity(code, code, lambda share: (share.sum(0) + 2.0) / 4))
    torch.testing.assert_close(cost, torch.full((2,), 0.494632))


def test_kl_penalty_activates_with_a_sigmoid() -> None:
    code = KLToTarget(1.0, 0.05, 0.5).activate(torch.tensor([[0.0, math.log(3)]]))
    torch.testing.assert_close(code, torch.tensor([[0.5, 0.75]]))


@pytest.mark.parametrize(
    ("k", "kept"),
    [
        (1, [0.0, 3.0, 0.0, 0.0]),
        (2, [1.0, 3.0, 0.0, 0.0]),
        (3, [1.0, 3.0, -1.0, 0.0]),
        (4, [1.0, 3.0, -1.0, -2.0]),
    ],
)
def test_k_largest_values_keep_their_indices(k: int, kept: list[float]) -> None:
    code = torch.tensor([[1.0, 3.0, -1.0, -2.0]])
    assert keep_largest(code, k).tolist() == [kept]
    assert TopK(1.0, k, 0.0).activate(code).tolist() == [kept]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_exactly_k_of_equal_values_are_kept(k: int, values: list[int]) -> None:
    code = torch.tensor([values], dtype=torch.float32)
    kept = keep_largest(code, k)
    assert int((kept != 0).sum()) == k
    assert kept.sum() == code.sort(descending=True).values[:, :k].sum()


@pytest.mark.parametrize(("alpha", "kept"), [(1.0, 2), (1.5, 3), (2.9, 6)])
def test_alpha_times_k_units_are_kept_in_evaluation_mode(alpha: float, kept: int) -> None:
    penalty = TopK(1.0, 2, 0.0, alpha)
    code = random_code(3, 8)
    assert torch.equal(penalty.train().activate(code), keep_largest(code, 2))
    assert torch.equal(penalty.eval().activate(code), keep_largest(code, kept))


def test_gradient_is_zero_except_for_the_kept_units() -> None:
    code = torch.tensor([[1.0, 3.0, 2.0]], requires_grad=True)
    keep_largest(code, 2).sum().backward()
    assert code.grad.tolist() == [[0.0, 1.0, 1.0]]


def top_k_cost(raw: torch.Tensor, k: int) -> list[float]:
    penalty = TopK(1.0, k, 0.0)
    return penalty(Activity(raw, penalty.activate(raw), mean)).tolist()


def test_top_k_penalises_dead_units() -> None:
    # unit 2 is never kept: it is 1 and 3 below the smallest kept value
    raw = torch.tensor([[5.0, 2.0, 1.0], [4.0, -1.0, -4.0]])
    assert top_k_cost(raw, 2) == [2.0, 2.0]


def test_top_k_penalty_is_zero_without_dead_units() -> None:
    assert top_k_cost(torch.tensor([[5.0, 2.0, 1.0], [4.0, -1.0, 6.0]]), 2) == [0.0, 0.0]


def test_gradient_of_the_top_k_penalty_raises_dead_units() -> None:
    raw = torch.tensor([[5.0, 2.0, 1.0], [4.0, -1.0, -4.0]], requires_grad=True)
    penalty = TopK(1.0, 2, 0.0)
    penalty(Activity(raw, penalty.activate(raw), mean)).mean().backward()
    assert (raw.grad[:, 2] < 0).all()


@each_penalty
def test_gradients_are_right(penalty: Penalty) -> None:
    code = random_code(3, 5).requires_grad_()
    assert gradcheck(penalty.activate, (code,))
    assert gradcheck(
        lambda c: penalty.activate(c).square().sum(1) + penalty(Activity(c, penalty.activate(c), mean)), (code,)
    )


@each_penalty
@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4])
def test_extreme_codes_have_finite_penalties_and_gradients(penalty: Penalty, value: float) -> None:
    code = torch.full((2, 3), value).requires_grad_()
    activated = penalty.activate(code)
    cost = penalty(Activity(code, activated, mean))
    (gradient,) = torch.autograd.grad(cost.sum() + activated.sum(), code)
    assert cost.isfinite().all()
    assert gradient.isfinite().all()


@each_penalty
def test_half_precision_is_computed_in_float32(penalty: Penalty) -> None:
    raw = random_code(64, 5).bfloat16()
    code = penalty.activate(raw)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(penalty(Activity(raw, code, mean)), penalty(Activity(raw.float(), code.float(), mean)))


@each_penalty
def test_penalty_under_vmap_is_the_penalty_of_each(penalty: Penalty) -> None:
    def of_one(code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        activated = penalty.activate(code)
        return activated, penalty(Activity(code, activated, mean))

    codes = random_code(4, 3, 5)
    for together, apart in zip(vmap(of_one)(codes), zip(*map(of_one, codes), strict=True), strict=True):
        torch.testing.assert_close(together, torch.stack(apart))


@each_penalty
def test_penalty_of_a_device_without_images_is_empty(penalty: Penalty) -> None:
    raw = torch.zeros(0, 5)
    assert penalty(Activity(raw, penalty.activate(raw), lambda share: share.sum(0) + 0.5)).shape == (0,)


@each_penalty
def test_valid_options_pass_the_check(penalty: Penalty) -> None:
    penalty.check(latent_dim=2)


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("make", [lambda w: L1(w, 0), lambda w: KLToTarget(w, 0.1, 0), lambda w: TopK(w, 1, 0)])
def test_weight_below_zero_is_refused(make, weight: float) -> None:
    with pytest.raises(ValueError, match=r"^weight: expected at least 0, found"):
        make(weight)


@pytest.mark.parametrize("rho", [0.0, 1.0, -0.1, math.nan])
def test_target_outside_the_open_unit_interval_is_refused(rho: float) -> None:
    with pytest.raises(ValueError, match=r"^rho: expected a number between 0 and 1, found"):
        KLToTarget(1.0, rho, 0.5)


@pytest.mark.parametrize("k", [0, -1, 5])
def test_k_above_the_number_of_units_or_below_one_is_refused(k: int) -> None:
    penalty = TopK(1.0, k, 0.0)
    with pytest.raises(ValueError, match=rf"^penalty\.k: expected 1 to 4, .* found {k};"):
        penalty.check(latent_dim=4)
    with pytest.raises(ValueError, match=r"^penalty\.k: "):
        penalty.activate(torch.zeros(2, 4))


@pytest.mark.parametrize("alpha", [0.9, 2.1, math.nan])
def test_alpha_with_more_than_all_units_or_below_one_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match=rf"^penalty\.alpha: expected 1 to 2, .* found {alpha}"):
        TopK(1.0, 2, 0.0, alpha).check(latent_dim=4)
