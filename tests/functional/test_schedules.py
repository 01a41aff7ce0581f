"""Schedules, compared with tables of values and with those of torch."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from latentlab.functional.schedules import (
    FINAL_STEP,
    Constant,
    ConstantRate,
    CosineRate,
    Cyclical,
    LinearWarmup,
    OneCycleRate,
    RateSchedule,
    WeightSchedule,
)

WEIGHTS = [
    (Constant(), {0: 1.0, 1: 1.0, 10**9: 1.0}),
    (LinearWarmup(4), {0: 0.0, 1: 0.25, 2: 0.5, 3: 0.75, 4: 1.0, 5: 1.0, 10**9: 1.0}),
    (LinearWarmup(1), {0: 0.0, 1: 1.0}),
    (
        Cyclical(period=10, ramp=0.5, cycles=2),
        {
            0: 0.0,
            1: 0.2,
            4: 0.8,
            5: 1.0,
            9: 1.0,
            10: 0.0,
            12: 0.4,
            15: 1.0,
            19: 1.0,
            20: 1.0,
            21: 1.0,
            35: 1.0,
        },
    ),
    (Cyclical(period=4, ramp=1.0, cycles=1), {0: 0.0, 1: 0.25, 3: 0.75, 4: 1.0, 5: 1.0}),
]

COSINE_MIDWAY = 0.5 * (1 + math.cos(math.pi / 4))  # a quarter of the way down
RATES = [
    (ConstantRate(), 7, {0: 1.0, 6: 1.0, 7: 1.0}),
    (
        CosineRate(warmup=0.0, final=0.0),
        5,
        {0: 1.0, 1: COSINE_MIDWAY, 2: 0.5, 3: 1 - COSINE_MIDWAY, 4: 0.0, 5: 0.0},
    ),
    (
        CosineRate(warmup=0.2, final=0.1),
        11,
        {0: 1 / 3, 1: 2 / 3, 2: 1.0, 4: 0.1 + 0.9 * COSINE_MIDWAY, 6: 0.55, 10: 0.1},
    ),
    (CosineRate(warmup=0.2, final=0.1), 1, {0: 1.0, 1: 1.0}),
    (
        OneCycleRate(warmup=0.5, start=0.2, final=0.0),
        10,  # peak at step 4
        {0: 0.2, 1: 0.2 + 0.8 * (1 - COSINE_MIDWAY), 2: 0.6, 4: 1.0, 9: 0.0, 10: 0.0, 99: 0.0},
    ),
]


@pytest.mark.parametrize(("schedule", "table"), WEIGHTS)
def test_weights_have_these_values(schedule: WeightSchedule, table: dict[int, float]) -> None:
    assert {step: schedule(step) for step in table} == pytest.approx(table)


@pytest.mark.parametrize(("schedule", "table"), WEIGHTS)
def test_weight_at_the_final_step_is_one(schedule: WeightSchedule, table: dict[int, float]) -> None:
    assert schedule(FINAL_STEP) == schedule(10**9) == 1.0


@pytest.mark.parametrize(("schedule", "total", "table"), RATES)
def test_rates_have_these_values(schedule: RateSchedule, total: int, table: dict[int, float]) -> None:
    assert {step: schedule(step, total) for step in table} == pytest.approx(table)


def rates_of_torch(make, total: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < total:
            scheduler.step()
    return rates


@pytest.mark.parametrize("total", [2, 7, 10, 100, 257])
@pytest.mark.parametrize(("warmup", "start", "final"), [(0.3, 0.04, 4e-6), (0.25, 0.1, 0.0), (0.05, 1.0, 0.5)])
def test_one_cycle_is_that_of_torch(total: int, warmup: float, start: float, final: float) -> None:
    schedule = OneCycleRate(warmup, start, final)
    expected = rates_of_torch(
        lambda optimizer: OneCycleLR(
            optimizer,
            max_lr=1.0,
            total_steps=total,
            pct_start=warmup,
            div_factor=1 / start,
            final_div_factor=start / final if final else math.inf,
            cycle_momentum=False,
        ),
        total,
    )
    assert [schedule(step, total) for step in range(total)] == pytest.approx(expected)


@pytest.mark.parametrize("total", [2, 7, 100])
@pytest.mark.parametrize("final", [0.0, 0.01, 0.5])
def test_cosine_without_warmup_is_that_of_torch(total: int, final: float) -> None:
    schedule = CosineRate(0.0, final)
    expected = rates_of_torch(lambda optimizer: CosineAnnealingLR(optimizer, T_max=total - 1, eta_min=final), total)
    assert [schedule(step, total) for step in range(total)] == pytest.approx(expected)


share = st.floats(0, 0.99)
factor = st.floats(0, 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 300), st.builds(CosineRate, share, factor) | st.builds(OneCycleRate, share, factor, factor))
def test_rates_are_at_most_one_and_rise_once_and_fall_once(total: int, schedule: RateSchedule) -> None:
    rates = [round(schedule(step, total), 9) for step in range(total + 1)]
    peak = rates.index(max(rates))
    assert all(0 <= rate <= 1 for rate in rates)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == rates[-2]


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 300), share, factor)
def test_cosine_is_positive_at_the_first_step_and_ends_at_its_final_factor(
    total: int, warmup: float, final: float
) -> None:
    schedule = CosineRate(warmup, final)
    assert schedule(0, total) > 0
    assert schedule(total - 1, total) == pytest.approx(final)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: LinearWarmup(0), "steps"),
        (lambda: Cyclical(0, 0.5, 4), "period"),
        (lambda: Cyclical(10, 0.0, 4), "ramp"),
        (lambda: Cyclical(10, 1.1, 4), "ramp"),
        (lambda: Cyclical(10, 0.5, 0), "cycles"),
        (lambda: CosineRate(1.0, 0.1), "warmup"),
        (lambda: CosineRate(math.nan, 0.1), "warmup"),
        (lambda: CosineRate(0.1, -0.1), "final"),
        (lambda: OneCycleRate(-0.1, 0.1, 0.1), "warmup"),
        (lambda: OneCycleRate(0.1, 1.1, 0.1), "start"),
        (lambda: OneCycleRate(0.1, 0.1, 2.0), "final"),
    ],
)
def test_values_out_of_range_are_refused_with_the_name_of_the_argument(make, key: str) -> None:
    with pytest.raises(ValueError, match=rf"^{key}: expected .*, found .*; .*"):
        make()
