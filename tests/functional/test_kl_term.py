"""The KL term of an objective: free bits and options."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.functional.kl_term import KLTerm, free_bits
from latentlab.functional.schedules import Constant


def test_free_bits_are_the_difference_of_each_unit_to_the_given_nats() -> None:
    kl = torch.tensor([[0.0, 0.2, 0.5, 2.0], [0.0, 0.0, 0.5, 2.0]])  # means 0, 0.1, 0.5 and 2
    assert free_bits(kl, 2, 0.5).tolist() == pytest.approx([0.9, 0.9])
    assert free_bits(kl, 2, 0).tolist() == [0, 0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 9, width=32), min_size=1, max_size=8), st.floats(0, 3))
def test_kl_and_free_bits_are_the_sum_of_maxima(kl: list[float], bits: float) -> None:
    """Kingma et al. 2016, equation 15."""
    total = sum(kl) + free_bits(torch.tensor([kl]), 1, bits).item()
    assert total == pytest.approx(sum(max(bits, each) for each in kl), rel=1e-5, abs=1e-5)


def test_unit_below_its_free_bits_has_no_gradient() -> None:
    kl = torch.tensor([[0.1, 0.9]], requires_grad=True)
    (kl.sum(1) + free_bits(kl, 1, 0.5)).sum().backward()
    assert kl.grad.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("option", ["beta", "free_bits"])
@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_an_option_out_of_range_is_refused_with_its_name(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{option}: expected a number of at least 0, found"):
        KLTerm(**{"beta": 1.0, "schedule": Constant(), option: value})
