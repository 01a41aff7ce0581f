"""How batches are grouped into calls, and the arguments that Lightning gets for it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import DeviceStatsMonitor, EarlyStopping, LearningRateMonitor, ModelCheckpoint, Timer

from latentlab.errors import ConfigError
from latentlab.training.callbacks.epoch_line import EpochLine
from latentlab.training.callbacks.interruption import Interruption
from latentlab.training.callbacks.progress import Progress
from latentlab.training.execution import CallPlan, Execution, with_batch_hooks
from tests.models.variants import build

PLANS = {
    # trainer options, batches in an epoch: size of a call, and arguments for Lightning
    "nothing": ({}, 430, 25, {"limit_train_batches": 430, "log_every_n_steps": 2}),
    "an epoch shorter than a call": ({}, 6, 25, {"limit_train_batches": 6, "log_every_n_steps": 1}),
    "one at a time": ({"steps_per_call": 1}, 430, 1, {"limit_train_batches": 430, "log_every_n_steps": 50}),
    "a number of batches": ({"limit_train_batches": 60}, 430, 25, {"limit_train_batches": 60, "log_every_n_steps": 2}),
    "a fraction of them": ({"limit_train_batches": 0.5}, 431, 25, {"limit_train_batches": 215, "log_every_n_steps": 2}),
    "more than there are": ({"limit_train_batches": 99}, 6, 25, {"limit_train_batches": 6, "log_every_n_steps": 1}),
    "validation twice an epoch": (
        {"val_check_interval": 0.5},
        430,
        5,  # the largest number of batches in a call that 215 and 25 are multiples of
        {"limit_train_batches": 430, "val_check_interval": 43, "log_every_n_steps": 10},
    ),
    "validation every 100 batches": (
        {"val_check_interval": 100},
        430,
        25,
        {"limit_train_batches": 430, "val_check_interval": 4, "log_every_n_steps": 2},
    ),
    "validation every two epochs and a bit": (
        {"val_check_interval": 1000},
        430,
        5,
        {"limit_train_batches": 430, "val_check_interval": 200, "log_every_n_steps": 10},
    ),
    "validation by the clock": ({"val_check_interval": "00:00:15:00"}, 430, 25, {"limit_train_batches": 430}),
    "batches of one step together": ({"accumulate_grad_batches": 4}, 430, 24, {"limit_train_batches": 430}),
    "more of them than a call holds": ({"accumulate_grad_batches": 32}, 430, 32, {"limit_train_batches": 430}),
}


@pytest.mark.parametrize("plan", PLANS)
def test_lightning_counts_calls_where_the_config_counts_batches(plan):
    trainer, batches, size, options = PLANS[plan]
    found = CallPlan.of(trainer, batches)
    assert found.size == size
    assert found.options.items() >= options.items()
    assert ("val_check_interval" in found.options) == ("val_check_interval" in options)


@pytest.mark.parametrize(
    ("trainer", "ends_validated"),
    [
        ({}, True),
        ({"val_check_interval": 0.5}, True),
        ({"val_check_interval": 100}, False),
        ({"val_check_interval": 0.3}, False),
        ({"val_check_interval": "00:00:15:00"}, False),
        ({"val_check_interval": 860, "check_val_every_n_epoch": None}, True),
        ({"val_check_interval": 600, "check_val_every_n_epoch": None}, False),
        ({"val_check_interval": 100, "max_steps": 250}, True),
        ({"val_check_interval": 100, "max_steps": 500}, False),
        ({"val_check_interval": 100, "limit_val_batches": 0}, True),
        ({"val_check_interval": 100, "fast_dev_run": True}, True),
    ],
)
def test_whether_the_weights_at_an_epochs_end_are_validated(trainer, ends_validated):
    assert CallPlan.of(trainer, 430).ends_validated == ends_validated


@given(st.integers(1, 60), st.integers(1, 500), st.integers(1, 500))
def test_a_call_never_spans_a_validation(steps_per_call, interval, batches):
    plan = CallPlan.of({"steps_per_call": steps_per_call, "val_check_interval": interval}, batches)
    assert plan.size * plan.options["val_check_interval"] == interval
    assert plan.size <= steps_per_call


def validations(trainer, batches):
    """The optimizer steps after which Lightning validates: it counts calls, the last may be shorter; and at the end."""
    plan = CallPlan.of(trainer, batches)
    size, per_epoch = plan.size // trainer["accumulate_grad_batches"], plan.steps_per_epoch
    calls = -(-per_epoch // size)
    every, found, step = plan.options.get("val_check_interval", calls), [], 0
    for total in range(3 * calls):
        call = total % calls
        step = min(total // calls * per_epoch + min((call + 1) * size, per_epoch), trainer["max_steps"])
        is_last = step == trainer["max_steps"]
        if is_last or (total + 1 if trainer["check_val_every_n_epoch"] is None else call + 1) % every == 0:
            found.append(step)
        if is_last:
            return found
    return found


@given(
    steps_per_call=st.integers(1, 60),
    accumulate=st.integers(1, 4),
    max_steps=st.integers(1, 150),
    interval=st.none() | st.integers(1, 40),
    across=st.booleans(),
    batches=st.integers(1, 60),
)
def test_validation_comes_after_the_same_steps_for_every_size_of_a_call(
    steps_per_call, accumulate, max_steps, interval, across, batches
):
    trainer = {"accumulate_grad_batches": accumulate, "max_steps": max_steps, "check_val_every_n_epoch": 1}
    if interval is not None:
        trainer |= {"val_check_interval": interval * accumulate, "check_val_every_n_epoch": None if across else 1}
    assert validations(trainer | {"steps_per_call": steps_per_call}, batches) == validations(
        trainer | {"steps_per_call": 1}, batches
    )


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 430), (4, 108)])
def test_a_callback_that_acts_after_each_step_gets_calls_of_one_step(accumulate, steps):
    plan = CallPlan.of({"accumulate_grad_batches": accumulate, "steps_per_call": 100}, 430, [1])
    assert (plan.size, plan.steps_per_epoch) == (accumulate, steps)


@pytest.mark.parametrize(("max_steps", "total"), [(-1, 1290), (None, 1290), (100, 100), (5000, 1290)])
def test_a_training_ends_with_its_epochs_or_its_steps(max_steps, total):
    assert CallPlan.of({"max_steps": max_steps}, 430).total_steps(3) == total


@given(st.integers(1, 60), st.integers(1, 5), st.lists(st.integers(1, 200), min_size=1), st.integers(1, 500))
def test_a_call_ends_wherever_a_callback_counts_steps(steps_per_call, accumulate, intervals, batches):
    trainer = {"steps_per_call": steps_per_call, "accumulate_grad_batches": accumulate}
    plan = CallPlan.of(trainer, batches, intervals)
    assert plan.size % accumulate == 0
    steps = plan.size // accumulate
    assert not any(count % steps for count in (*intervals, plan.steps_per_epoch))


def test_callbacks_with_a_hook_per_batch_are_found():
    per_batch = [LearningRateMonitor(), DeviceStatsMonitor()]
    others = [Callback(), Timer(), ModelCheckpoint(), EarlyStopping("val/mse"), Progress(), EpochLine(), Interruption()]
    assert with_batch_hooks([*others, *per_batch]) == per_batch


MISTAKES = {
    "trainer.limit_train_batches: 0.001 of 430 batches is none": {"limit_train_batches": 0.001},
    "trainer.val_check_interval: 0.001 of 430 batches is none": {"val_check_interval": 0.001},
    "trainer.val_check_interval: expected a multiple of accumulate_grad_batches=4, found 10 batches": {
        "val_check_interval": 10,
        "accumulate_grad_batches": 4,
    },
    "trainer.steps_per_call: expected at least 1, found 0": {"steps_per_call": 0},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_impossible_options_are_reported(message):
    with pytest.raises(ConfigError, match=message):
        CallPlan.of(MISTAKES[message], 430)


def test_a_job_leaves_no_matmul_precision_to_the_next():
    Execution(matmul_precision="high").prepare(build("ae"))
    assert torch.get_float32_matmul_precision() == "high"
    Execution().prepare(build("ae"))
    assert torch.get_float32_matmul_precision() == "highest"


def test_channels_last_moves_the_convolutions_alone():
    model = build("ae", "cnn")
    Execution().prepare(model)
    kernels = [p for p in model.parameters() if p.ndim == 4 and p.shape[1] > 1]
    assert kernels
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)
