"""The optimizer steps of one call of the training step."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any, Literal, NamedTuple, final

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from latentlab.functional.batch import Batch


@final
class Steps(NamedTuple):
    """How gradients are computed, and how the parameters are updated with them.

    backward: adds the gradients of a scalar loss to those of the parameters.
    step: updates the parameters, counts the step, and sets the gradients to zero.
    """

    backward: Callable[[Tensor], Any]
    step: Callable[[], Any]


def lightning_steps(model: LightningModule) -> Steps:
    """Those of Lightning's manual optimization, with all hooks, strategies and precisions."""
    optimizer = model.optimizers()
    assert isinstance(optimizer, LightningOptimizer)

    def step() -> None:
        optimizer.step()
        optimizer.zero_grad()

    return Steps(model.manual_backward, step)


def minimize(
    model: LightningModule, batches: Iterator[Batch], loss: Callable[[Batch], Tensor], accumulate: int, steps: Steps
) -> None:
    """One optimizer step for every `accumulate` batches, to the last batch or the trainer's `max_steps`.

    loss: a batch's contribution to the mean that is minimised.
    """
    # Lightning's autocast covers the whole call; gradients are computed outside of it, as PyTorch recommends
    device, autocasts = model.device.type, torch.is_autocast_enabled(model.device.type)
    outside = torch.autocast(device, enabled=False) if autocasts else nullcontext()
    while group := list(islice(batches, accumulate)):
        for batch in group:
            value = loss(batch)
            with outside:
                steps.backward(value)
        steps.step()
        advance_schedules(model, "step")
        if 0 <= model.trainer.max_steps <= model.global_step:
            return


def advance_schedules(model: LightningModule, interval: Literal["step", "epoch"]) -> None:
    """Advance the schedules of the learning rate that count so: a run's own in steps, those of callbacks in epochs."""
    for config in model.trainer.lr_scheduler_configs:
        if config.interval == interval:
            config.scheduler.step()  # type: ignore[call-arg]
