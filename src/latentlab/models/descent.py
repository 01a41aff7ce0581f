"""The steps of one call: what Lightning does for each, less what nobody listens to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from latentlab.batch import Batch

HOOKS_OF_A_STEP = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")


def descend(
    model: LightningModule, batches: Iterator[Batch], objective: Callable[[Batch], Tensor], accumulate: int
) -> None:
    """One step of the optimizer for every `accumulate` batches, until they or the trainer's steps are used up."""
    optimizer, schedule = model.optimizers(), model.lr_schedulers()
    assert isinstance(optimizer, LightningOptimizer)
    # Lightning's autocast spans the whole call; gradients are no business of it
    device, autocasts = model.device.type, torch.is_autocast_enabled(model.device.type)
    plain = torch.autocast(device, enabled=False) if autocasts else nullcontext()
    with _only_listeners(model.trainer):
        while together := list(islice(batches, accumulate)):
            for batch in together:
                share = objective(batch) / accumulate if accumulate > 1 else objective(batch)
                with plain:
                    model.manual_backward(share)
            optimizer.step()
            optimizer.zero_grad()
            if isinstance(schedule, LRScheduler):
                schedule.step()
            if 0 <= model.trainer.max_steps <= model.global_step:
                return


@contextmanager
def _only_listeners(trainer: Any) -> Iterator[None]:
    """Leave out, meanwhile, the callbacks that have none of a step's hooks: Lightning would ask each at every hook."""
    everyone = trainer.callbacks
    trainer.callbacks = [callback for callback in everyone if _listens(callback)]
    try:
        yield
    finally:
        trainer.callbacks = everyone


def _listens(callback: Callback) -> bool:
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in HOOKS_OF_A_STEP)
