"""How the steps are executed on the given machine; what is computed stays the same, up to rounding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any, Literal, final

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint, Timer

from latentlab.errors import ConfigError
from latentlab.models.base import Autoencoder

# Lightning's defaults
DEFAULTS = {
    "limit_train_batches": 1.0,
    "val_check_interval": 1.0,
    "accumulate_grad_batches": 1,
    "max_steps": -1,
    "log_every_n_steps": 50,
}
# by which a run sees a part of the data
PARTIAL = ("fast_dev_run", "limit_train_batches", "limit_val_batches", "limit_test_batches")
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")
# these hooks of Lightning's own neither read the batch nor count calls
KNOWN_HOOKS = {getattr(kind, hook) for kind in (Callback, ModelCheckpoint, Timer) for hook in BATCH_HOOKS}


@final
@dataclass(frozen=True, kw_only=True)
class Execution:
    """The options of `trainer` beside the arguments of Lightning's Trainer.

    Args:
        steps_per_call: batches in one training step of Lightning's, whose hooks then run once for all of them. Each
            batch is still an optimizer step, and a signal or a checkpoint waits for the end of the call.
        compile: torch.compile for encoder and decoder.
        channels_last: lay images out pixel by pixel for convolutions, which most processors are faster with.
        matmul_precision: of float32 products: "high" allows TF32 on a GPU, "medium" bfloat16 inside, also on a CPU
            that has it (torch.set_float32_matmul_precision).
        images_on_device: whether all images are held on the training device; null: where they take at most 60 % of its
            free memory. Those in host memory are copied ahead, batch by batch.

    Raises:
        ConfigError: `steps_per_call` is less than 1.
    """

    steps_per_call: int = 25
    compile: bool = False
    channels_last: bool = True
    matmul_precision: Literal["highest", "high", "medium"] = "highest"
    images_on_device: bool | None = None

    def __post_init__(self) -> None:
        if self.steps_per_call < 1:
            raise ConfigError(f"trainer.steps_per_call: expected at least 1, found {self.steps_per_call}")

    @classmethod
    def of(cls, trainer: Mapping[str, Any]) -> "Execution":
        """From a config's trainer node."""
        return cls(**{name: trainer[name] for name in cls.__dataclass_fields__ if name in trainer})

    def prepare(self, model: Autoencoder) -> None:
        """Apply it to the process and the networks; settings of an earlier job of the process are overwritten."""
        torch.set_float32_matmul_precision(self.matmul_precision)
        if self.compile:
            torch.compiler.reset()  # after eight models it silently runs eager
        for network in (model.encoder, model.decoder):
            if self.channels_last:
                network.to(memory_format=torch.channels_last)
            if self.compile:
                network.compile()


@final
@dataclass(frozen=True)
class CallPlan:
    """How many batches go into a call, and the arguments for Lightning, which counts calls instead of batches.

    size: batches in a call.
    options: arguments for Lightning's trainer.
    steps_per_epoch: optimizer steps in an epoch.
    max_steps: after which the training ends, if not before; -1 for no limit.
    ends_validated: whether an epoch that is validated inside is also validated at its end, where its weights are kept.
    """

    size: int
    options: dict[str, Any]
    steps_per_epoch: int
    max_steps: int = -1
    ends_validated: bool = True

    @classmethod
    def of(cls, trainer: Mapping[str, Any], batches: int, intervals: Sequence[int] = ()) -> "CallPlan":
        """The plan for a config's trainer node and epochs of `batches`.

        A call never spans a validation, and holds whole optimizer steps: it may be smaller than configured. Validation
        comes after the same steps as with one step to a call, also where an epoch or the training ends in a call.
        intervals: optimizer steps after each of which a callback acts: a call ends there.

        Raises:
            ConfigError: no batch would be trained on, or validation would fall between two batches of a step.
        """
        given = {**DEFAULTS, **{name: value for name, value in trainer.items() if value is not None}}
        accumulate = given["accumulate_grad_batches"]
        limit = min(_count("limit_train_batches", given["limit_train_batches"], batches), batches)
        steps, per_epoch = max(1, Execution.of(trainer).steps_per_call // accumulate), -(-limit // accumulate)
        # without a number of epochs, Lightning counts over the whole training: each epoch must consist of whole calls
        across = trainer.get("check_val_every_n_epoch", 1) is None
        whole = [per_epoch, *intervals] if intervals or across else []
        options: dict[str, Any] = {"limit_train_batches": limit}
        between, validation = given["val_check_interval"], per_epoch
        counted = isinstance(between, int | float) and not (isinstance(between, float) and between == 1)
        if counted:
            interval = _count("val_check_interval", between, limit)
            if interval % accumulate:
                raise ConfigError(
                    f"trainer.val_check_interval: expected a multiple of accumulate_grad_batches={accumulate}, "
                    f"found {interval} batches"
                )
            validation = interval // accumulate
            whole += [validation, *([per_epoch] if interval > limit else [])]
        steps = _largest_call(gcd(steps, *whole), validation, per_epoch)
        if counted:
            options["val_check_interval"] = validation // steps
        size = steps * accumulate
        # Lightning warns where an epoch is shorter than its logging interval
        options["log_every_n_steps"] = max(1, min(given["log_every_n_steps"] // size, -(-limit // size)))
        by_the_clock = not isinstance(between, int | float)
        ends_validated = not by_the_clock and (per_epoch % validation == 0 or validation % per_epoch == 0)
        ends_validated |= 0 < given["max_steps"] <= per_epoch  # the end of the training is
        ends_validated |= bool(given.get("fast_dev_run")) or given.get("limit_val_batches") == 0  # there is no other
        return cls(size, options, per_epoch, given["max_steps"], ends_validated)

    def total_steps(self, epochs: int) -> int:
        """Optimizer steps of a training of so many epochs."""
        steps = self.steps_per_epoch * epochs
        return steps if self.max_steps < 0 else min(steps, self.max_steps)


def with_batch_hooks(callbacks: Sequence[Callback]) -> list[Callback]:
    """The callbacks that have a hook per batch and may read the batch, or count calls as batches.

    A class with an attribute `once_per_call = True` states that its hooks do neither.
    """
    kinds = {callback: type(callback) for callback in callbacks if not getattr(callback, "once_per_call", False)}
    return [c for c, kind in kinds.items() if any(getattr(kind, hook) not in KNOWN_HOOKS for hook in BATCH_HOOKS)]


def partial_data(trainer: Mapping[str, Any]) -> list[str]:
    """The options of a config's trainer node by which a part of the data is used, such as "limit_val_batches=2"."""
    given = {key: trainer.get(key) for key in PARTIAL}
    # a float 1.0 is everything, an integer 1 one batch
    whole = {key for key, value in given.items() if value is None or (isinstance(value, float) and value == 1)}
    whole |= {key for key, value in given.items() if not key.startswith("limit") and not value}
    return [f"{key}={value}" for key, value in given.items() if key not in whole]


def save_intervals(callbacks: Mapping[str, Any] | None) -> list[int]:
    """The optimizer steps between two checkpoints of each callback of a config that counts them."""
    nodes = [node for node in (callbacks or {}).values() if node is not None]
    return [node["every_n_train_steps"] for node in nodes if node.get("every_n_train_steps")]


def _largest_call(steps: int, validation: int, epoch: int) -> int:
    """The largest divisor of `steps` with which a call that is cut short is not taken for one before a validation.

    validation: steps between two validations. epoch: steps after which an epoch ends.
    """
    for size in range(steps, 1, -1):
        if steps % size == 0 and (epoch % validation == 0 or -(-epoch // size) % -(-validation // size)):
            return size
    return 1


def _count(key: str, given: float, batches: int) -> int:
    """A number or a fraction of the batches as a number."""
    if isinstance(given, float) and given > 1:
        raise ConfigError(f"trainer.{key}: expected a fraction up to 1.0, or a whole number of batches, found {given}")
    count = given if isinstance(given, int) else int(given * batches)
    if count < 1:
        raise ConfigError(f"trainer.{key}: {given} of {batches} batches is none; expected at least one")
    return count
