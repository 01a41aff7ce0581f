"""SIGINT, SIGTERM and SIGHUP: save the state, then stop with the exit status that belongs to the signal."""

import logging
import signal
from types import FrameType
from typing import Any, ClassVar, final

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from latentlab.errors import Interrupted
from latentlab.functional.distributed import is_shared, sum_over_devices
from latentlab.processes.launcher import started_by_a_launcher
from latentlab.processes.signals import REQUEUE, handle, stop

log = logging.getLogger(__name__)

NUMBERS = (REQUEUE, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)  # after several signals, the first of these counts


@final
class Interruption(Callback):
    """Stops after the call that a signal fell into, with `last.ckpt` saved there, or at the end of its epoch.

    A second signal stops at once; not so under Slurm and torchrun, which may send several.

    Lightning itself ends a run with status 0 on SIGTERM, and saves nothing on either signal. Its own handler of
    SIGTERM, set between `on_fit_start` and `on_train_start` and restored at the end, waits for the other devices
    in the middle of a collective operation, forever; here it is replaced.

    Raises:
        Interrupted: from `on_train_epoch_start`, `on_train_batch_end` or `on_train_end`.
    """

    once_per_call: ClassVar[bool] = True

    def __init__(self) -> None:
        self._received = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._received = 0
        handle(self._receive)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # a signal of the epoch before, whose own checkpoint is the one to resume from: Lightning 2.6.6 would skip
        # the whole epoch of one that is saved here
        self._stop_if_received(trainer)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        handle(stop)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # at the end of an epoch or of the training, validation and the epoch's own checkpoint come first
        if not (trainer.is_last_batch or trainer.should_stop):
            self._stop_if_received(trainer, save=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        handle(stop)  # in the hooks that follow there is nothing left to save
        self._stop_if_received(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        handle(stop)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        once_more = "" if started_by_a_launcher() else "; a second signal stops at once"
        if once_more:
            handle(stop)
        if not self._received:
            log.warning("%s: saving, then stopping%s", signal.Signals(number).name, once_more)
        if self._received != REQUEUE:
            self._received = number

    def _stop_if_received(self, trainer: Trainer, save: bool = False) -> None:
        number = self._received_anywhere(trainer)
        if number and save:
            self._save(trainer)
        if number:
            raise Interrupted(number)

    def _received_anywhere(self, trainer: Trainer) -> int:
        """The signal that reached any device, or 0: all must stop at the same batch, and for the same reason."""
        if not is_shared():
            return self._received
        here = [self._received == number for number in NUMBERS]
        counts = sum_over_devices(torch.tensor(here, dtype=torch.int32, device=trainer.strategy.root_device))
        return next((number for number, count in zip(NUMBERS, counts.tolist(), strict=True) if count), 0)

    def _save(self, trainer: Trainer) -> None:
        checkpoint = trainer.checkpoint_callback
        if isinstance(checkpoint, ModelCheckpoint) and checkpoint.dirpath is not None:
            trainer.save_checkpoint(f"{checkpoint.dirpath}/{checkpoint.CHECKPOINT_NAME_LAST}.ckpt")
