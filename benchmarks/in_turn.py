"""Two loops timed in turn, a few steps each, within one process: a change in the machine's load affects both."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class AllMeasuredError(Exception):
    """All pairs are measured."""


class InTurn(Callback):
    """After each call, runs as many steps of each bare loop; times both."""

    once_per_call: ClassVar[bool] = True  # else steps would go one to a call
    pairs: ClassVar[int]
    loops: ClassVar[dict[str, Iterator[Any]]]
    times: ClassVar[list[dict[str, float]]]

    def __init__(self) -> None:
        self._since: float | None = None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._since = None  # validation was in between

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        steps = trainer.datamodule.batches_per_call  # type: ignore[attr-defined]
        now = _now()
        if self._since is not None and not trainer.is_last_batch:
            times = {"latentlab": (now - self._since) / steps}
            # the bare loops use plain float32 or autocast, whatever latentlab is configured to use
            configured = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("highest")
            for name, loop in self.loops.items():
                began = _now()
                for _step in islice(loop, steps):
                    pass
                times[name] = (_now() - began) / steps
            torch.set_float32_matmul_precision(configured)
            self.times.append(times)
        if len(self.times) >= self.pairs:
            raise AllMeasuredError
        self._since = _now()


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
