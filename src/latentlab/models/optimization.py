"""The steps of one call: what Lightning does for each, less what nobody listens to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import Any, NamedTuple

import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from latentlab.functional.batch import Batch

HOOKS_OF_A_STEP = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")
CLIPPING = "on_before_optimizer_step"  # the one that every model has


class _Moves(NamedTuple):
    """How gradients are computed from an objective, and how the parameters follow them."""

    backward: Callable[[Tensor], Any]
    step: Callable[[], Any]


def descend(
    model: LightningModule,
    batches: Iterator[Batch],
    objective: Callable[[Batch], Tensor],
    accumulate: int,
    clips: bool,
) -> None:
    """One step of the optimizer for every `accumulate` batches, until they or the trainer's steps are used up.

    objective: a batch's part in the mean that is descended from.
    clips: whether the model clips its gradients in Lightning's hook before a step.
    """
    schedule = model.lr_schedulers()
    # Lightning's autocast spans the whole call; gradients are no business of it
    device, autocasts = model.device.type, torch.is_autocast_enabled(model.device.type)
    outside = torch.autocast(device, enabled=False) if autocasts else nullcontext()
    with _only_listeners(model.trainer) as listeners:
        heard = clips or bool(listeners) or _hears(type(model), LightningModule, besides=CLIPPING)
        moves = _plain_moves(model) if _is_alone(model) and not heard else _lightnings_moves(model)
        while together := list(islice(batches, accumulate)):
            for batch in together:
                part = objective(batch)
                with outside:
                    moves.backward(part)
            moves.step()
            if isinstance(schedule, LRScheduler):
                schedule.step()
            if 0 <= model.trainer.max_steps <= model.global_step:
                return


def _lightnings_moves(model: LightningModule) -> _Moves:
    optimizer = _optimizer(model)

    def step() -> None:
        optimizer.step()
        optimizer.zero_grad()

    return _Moves(model.manual_backward, step)


def _plain_moves(model: LightningModule) -> _Moves:
    """The same without Lightning's way there, which takes as long as a twentieth of a small network's step."""
    optimizer = _optimizer(model).optimizer
    count = model.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress

    def step() -> None:
        count.increment_ready()
        optimizer.step()
        count.increment_completed()
        optimizer.zero_grad()

    return _Moves(Tensor.backward, step)


def _is_alone(model: LightningModule) -> bool:
    """Whether gradients go straight to the parameters: from one device, and unscaled."""
    strategy = model.trainer.strategy
    scaled = getattr(strategy.precision_plugin, "scaler", None) is not None
    return type(strategy) is SingleDeviceStrategy and not scaled


def _optimizer(model: LightningModule) -> LightningOptimizer:
    optimizer = model.optimizers()
    assert isinstance(optimizer, LightningOptimizer)
    return optimizer


@contextmanager
def _only_listeners(trainer: Any) -> Iterator[list[Callback]]:
    """Leave out, meanwhile, the callbacks that have none of a step's hooks: Lightning would ask each at every hook."""
    everyone = trainer.callbacks
    listeners = [callback for callback in everyone if _hears(type(callback), Callback)]
    trainer.callbacks = listeners
    try:
        yield listeners
    finally:
        trainer.callbacks = everyone


def _hears(kind: type, base: type, besides: str = "") -> bool:
    """Whether the class has a hook of a step that is not its base's."""
    return any(getattr(kind, hook) is not getattr(base, hook) for hook in HOOKS_OF_A_STEP if hook != besides)
