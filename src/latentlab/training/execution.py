"""How the steps are carried out on the machine at hand; what is computed stays the same, up to rounding."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Literal, final

import torch

from latentlab.errors import ConfigError
from latentlab.models.base import Autoencoder

# what Lightning takes where nothing is said
UNSAID = {
    "limit_train_batches": 1.0,
    "val_check_interval": 1.0,
    "accumulate_grad_batches": 1,
    "log_every_n_steps": 50,
}


@final
@dataclass(frozen=True, kw_only=True)
class Execution:
    """What `trainer` takes beside the arguments of Lightning's own.

    Args:
        steps_per_call: batches in one training step of Lightning's, whose hooks then run once for all of them. Each
            batch is still a step of the optimizer, and a signal or a checkpoint waits for the end of the call.
        compile: torch.compile for encoder and decoder.
        channels_last: lay images out pixel by pixel for convolutions, which most processors are faster with.
        matmul_precision: of float32 products: "high" allows TF32 on a GPU, "medium" bfloat16 inside, also on a CPU
            that has it (torch.set_float32_matmul_precision).

    Raises:
        ConfigError: `steps_per_call` is less than 1.
    """

    steps_per_call: int = 25
    compile: bool = False
    channels_last: bool = True
    matmul_precision: Literal["highest", "high", "medium"] = "highest"

    def __post_init__(self) -> None:
        if self.steps_per_call < 1:
            raise ConfigError(f"trainer.steps_per_call: expected at least 1, found {self.steps_per_call}")

    @classmethod
    def of(cls, trainer: Mapping[str, Any]) -> "Execution":
        """That of a config's trainer node."""
        return cls(**{name: trainer[name] for name in cls.__dataclass_fields__ if name in trainer})

    def prepare(self, model: Autoencoder) -> None:
        """Fit the process and the networks to it; an earlier job of the process leaves nothing behind."""
        torch.set_float32_matmul_precision(self.matmul_precision)
        if self.compile:
            torch._dynamo.reset()  # after eight models it silently runs eager
        for network in (model.encoder, model.decoder):
            if self.channels_last:
                network.to(memory_format=torch.channels_last)
            if self.compile:
                network.compile()


@final
@dataclass(frozen=True)
class CallPlan:
    """How many batches go into a call, and what Lightning is told, which counts calls where we count batches.

    size: batches in a call.
    options: arguments for Lightning's trainer.
    """

    size: int
    options: dict[str, Any]

    @classmethod
    def of(cls, trainer: Mapping[str, Any], batches: int) -> "CallPlan":
        """That of a config's trainer node, for epochs of `batches`.

        A call never reaches over a validation, and holds whole steps of the optimizer: it may be smaller than asked.

        Raises:
            ConfigError: no batch would be trained on, or validation would fall between two batches of a step.
        """
        said = {**UNSAID, **{name: value for name, value in trainer.items() if value is not None}}
        accumulate = said["accumulate_grad_batches"]
        limit = min(_count("limit_train_batches", said["limit_train_batches"], batches), batches)
        steps = max(1, Execution.of(trainer).steps_per_call // accumulate)
        options: dict[str, Any] = {"limit_train_batches": limit}
        between = said["val_check_interval"]
        if isinstance(between, int | float) and not (isinstance(between, float) and between == 1):
            interval = _count("val_check_interval", between, limit)
            if interval % accumulate:
                raise ConfigError(
                    f"trainer.val_check_interval: expected a multiple of accumulate_grad_batches={accumulate}, "
                    f"found {interval} batches"
                )
            # where it reaches over epochs, each has to be of whole calls
            steps = gcd(steps, interval // accumulate, *([limit // accumulate] if interval > limit else []))
            options["val_check_interval"] = interval // (steps * accumulate)
        size = steps * accumulate
        # Lightning warns where an epoch is shorter than its logging interval
        options["log_every_n_steps"] = max(1, min(said["log_every_n_steps"] // size, -(-limit // size)))
        return cls(size, options)


def _count(key: str, said: float, batches: int) -> int:
    """A number or a share of the batches as a number."""
    count = said if isinstance(said, int) else int(said * batches)
    if count < 1:
        raise ConfigError(f"trainer.{key}: {said} of {batches} batches is none; expected at least one")
    return count
