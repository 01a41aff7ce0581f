"""JumpReLU and its pseudo-derivatives, compared with the formulas of Rajamanoharan et al. 2024."""

import math

import pytest
import torch
from torch.func import vmap

from latentlab.functional.jump_relu import JumpReLU, jump_relu, step
from latentlab.functional.penalties import Activity

THRESHOLD, BANDWIDTH = 0.5, 0.2
# a value: JumpReLU, H, whether the kernel of width 0.2 around 0.5 covers it
TABLE = {-1.0: (0, 0, 0), 0.35: (0, 0, 0), 0.45: (0, 0, 1), 0.55: (0.55, 1, 1), 0.65: (0.65, 1, 0), 2.0: (2.0, 1, 0)}
RAW = torch.tensor([[value] for value in TABLE])
JUMPED, ACTIVE, KERNEL = torch.tensor([*TABLE.values()]).T


def mean(code: torch.Tensor) -> torch.Tensor:
    return code.mean(0)


def prepared(units: int = 1) -> JumpReLU:
    penalty = JumpReLU(1.0, THRESHOLD, BANDWIDTH, 0.0)
    penalty.prepare(units)
    return penalty


def gradients(function, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """By the values and by the threshold, of each row's output times `upstream`."""
    raw, threshold = RAW.clone().requires_grad_(), torch.tensor([THRESHOLD], requires_grad=True)
    output = function(raw, threshold, BANDWIDTH).squeeze(1) @ upstream
    return torch.autograd.grad(output, (raw, threshold), allow_unused=True)


def test_values_above_the_threshold_are_kept() -> None:
    torch.testing.assert_close(prepared().activate(RAW).squeeze(1), JUMPED)


def test_the_penalty_counts_active_units() -> None:
    penalty = prepared()
    assert penalty(Activity(RAW, penalty.activate(RAW), mean)).tolist() == ACTIVE.tolist()


def test_pseudo_derivatives_of_the_activation_are_those_of_the_paper() -> None:
    for row in range(len(RAW)):
        upstream = torch.eye(len(RAW))[row] * 3.0
        by_value, by_threshold = gradients(jump_relu, upstream)
        torch.testing.assert_close(by_value.squeeze(1), upstream * ACTIVE)
        torch.testing.assert_close(by_threshold, -3.0 * THRESHOLD / BANDWIDTH * KERNEL[row, None])


def test_pseudo_derivatives_of_the_step_are_those_of_the_paper() -> None:
    for row in range(len(RAW)):
        by_value, by_threshold = gradients(step, torch.eye(len(RAW))[row] * 3.0)
        assert by_value is None  # no path to the values
        torch.testing.assert_close(by_threshold, -3.0 / BANDWIDTH * KERNEL[row, None])


def test_the_logarithm_of_the_threshold_is_trained() -> None:
    penalty = prepared()
    penalty(Activity(RAW, penalty.activate(RAW), mean)).sum().backward()
    expected = -THRESHOLD / BANDWIDTH * KERNEL.sum()  # two values within the kernel, times d threshold / d log
    torch.testing.assert_close(penalty.log_threshold.grad, expected[None])


def test_the_penalty_raises_units_that_no_image_activates_to_their_threshold() -> None:
    raw = torch.tensor([[2.0, 0.0], [3.0, -1.0]], requires_grad=True)
    penalty = prepared(2)
    cost = penalty(Activity(raw, penalty.activate(raw), mean))
    torch.testing.assert_close(cost, torch.full((2,), 1.0 + (0.5 + 1.5) / 2))
    cost.mean().backward()
    assert raw.grad.tolist() == [[0.0, -0.5], [0.0, -0.5]]


def test_under_vmap_it_is_the_activation_of_each() -> None:
    codes = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    penalty = prepared(5)

    def of_one(code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        activated = penalty.activate(code)
        return activated, penalty(Activity(code, activated, mean))

    for together, apart in zip(vmap(of_one)(codes), zip(*map(of_one, codes), strict=True), strict=True):
        torch.testing.assert_close(together, torch.stack(apart))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["threshold", "bandwidth"])
def test_a_threshold_or_bandwidth_that_is_not_above_zero_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected a number above 0, found"):
        JumpReLU(**{"weight": 1.0, "threshold": 0.1, "bandwidth": 0.1, "active_above": 0.0, name: value})
