"""Means over an epoch, and the first step at which a metric is not finite."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.errors import NonFiniteObjective
from latentlab.models.running_means import WINDOW, RunningMeans


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=2 * WINDOW + 3))
def test_the_mean_is_over_images_whatever_the_sizes_of_batches(sizes):
    means, seen = RunningMeans("val"), []
    for step, size in enumerate(sizes):
        values = torch.arange(size, dtype=torch.float32) + step
        means.add({"mse": values}, step)
        seen += values.tolist()
    assert means.finish()["mse"] == pytest.approx(sum(seen) / max(len(seen), 1))


def test_a_second_epoch_starts_from_zero():
    means = RunningMeans("val")
    means.add({"mse": torch.ones(3)}, 0)
    means.finish()
    means.add({"mse": torch.full((2,), 5.0)}, 1)
    assert means.finish() == {"mse": 5.0}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, WINDOW - 1, WINDOW + 7])
def test_the_first_step_and_term_that_are_not_finite_are_named(bad, at):
    means = RunningMeans("train")

    def run():
        for step in range(2 * WINDOW):
            kl = torch.ones(4)
            if step >= at:
                kl[1] = bad
            means.add({"reconstruction": torch.ones(4), "kl": kl}, 1000 + step)

    with pytest.raises(NonFiniteObjective, match=rf"train/kl is not finite at step {1000 + at}"):
        run()


def test_an_epoch_continues_after_a_saved_state():
    whole, first, second = (RunningMeans("train") for _ in range(3))
    values = torch.rand(80, 4)
    for step, row in enumerate(values):
        whole.add({"objective": row}, step)
    for step, row in enumerate(values[:33]):
        first.add({"objective": row}, step)
    second.load_state_dict(first.state_dict())
    for step, row in enumerate(values[33:], start=33):
        second.add({"objective": row}, step)
    assert second.finish()["objective"] == pytest.approx(whole.finish()["objective"], rel=1e-12)


def test_the_latest_metric_is_that_of_the_last_batch():
    means = RunningMeans("train")
    assert means.latest("objective") is None
    for step in range(3):
        means.add({"objective": torch.full((2,), float(step))}, step)
    assert means.latest("objective") == 2.0
