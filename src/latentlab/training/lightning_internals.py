"""The only use of private parts of Lightning: optimizer steps without its per-step calls.

Lightning's manual optimization asks strategy, precision, profiler and every callback at each step. Where none of them
does anything, that takes 5.8 % of a step of the 784-400-20 VAE at batch 128 (two threads, medians, in turn).
tests/training/test_lightning_internals.py fails where an upgrade of Lightning moves what is used here.
"""

from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.plugins import MixedPrecision
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.optim import Optimizer

from latentlab.models.base import Autoencoder
from latentlab.models.optimization import Steps, lightning_steps

HOOKS_OF_A_STEP = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")


def direct_steps(model: LightningModule) -> Steps:
    """The optimizer's own steps where Lightning would add nothing but the count of steps; else Lightning's."""
    assert isinstance(model, Autoencoder)
    if not _is_plain(model):
        return lightning_steps(model)
    optimizer = model.optimizers(use_pl_optimizer=False)
    assert isinstance(optimizer, Optimizer)
    # private: what `trainer.global_step` counts, which checkpoints, loggers and `max_steps` read
    count = model.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def step() -> None:
        count.increment_ready()
        optimizer.step()
        count.increment_completed()
        for parameter in parameters:  # as `zero_grad` does, which spends 1 % of a step on being seen by a profiler
            parameter.grad = None

    return Steps(Tensor.backward, step)


def _is_plain(model: Autoencoder) -> bool:
    """Whether there is one device, no gradient scaling, no clipping, no hook of a step, and no other `zero_grad`."""
    strategy = model.trainer.strategy
    precision = strategy.precision_plugin
    scales = isinstance(precision, MixedPrecision) and precision.scaler is not None
    has_hooks = any(has_step_hook(type(callback)) for callback in model.trainer.callbacks)  # type: ignore[attr-defined]
    own_hook = any(getattr(type(model), hook) is not getattr(Autoencoder, hook) for hook in HOOKS_OF_A_STEP)
    clips = model.parts.clip is not None
    optimizer = model.optimizers(use_pl_optimizer=False)
    own_zero_grad = getattr(optimizer.zero_grad, "__func__", None) is not Optimizer.zero_grad  # type: ignore[union-attr]
    is_special = scales or clips or has_hooks or own_hook or own_zero_grad
    return type(strategy) is SingleDeviceStrategy and not is_special


def has_step_hook(kind: type[Callback]) -> bool:
    """Whether a class of callbacks has a hook of an optimizer step."""
    return any(getattr(kind, hook) is not getattr(Callback, hook) for hook in HOOKS_OF_A_STEP)
