"""SIGINT and SIGTERM: save the state, then stop with the exit status that belongs to the signal."""

import logging
import signal
from types import FrameType
from typing import Any, final

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from latentlab.distributed import is_shared
from latentlab.errors import Interrupted
from latentlab.signals import handle, stop

log = logging.getLogger(__name__)


@final
class Interruption(Callback):
    """Stops after the call that a signal fell into, with `last.ckpt` saved there, or at the end of its epoch.

    A second signal stops at once.

    Lightning itself ends a run with status 0 on SIGTERM, and saves nothing on either signal. Its own handler of
    SIGTERM, set between `on_fit_start` and `on_train_start` and restored at the end, waits for the other devices in
    the middle of whatever they share, for ever; here it is replaced.

    Raises:
        Interrupted: from `on_train_epoch_start`, `on_train_batch_end` or `on_train_end`.
    """

    def __init__(self) -> None:
        self._received = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._received = 0
        handle(self._receive)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # a signal of the epoch before, whose own checkpoint is the one to go on from: Lightning 2.6.6 would skip
        # the whole epoch of one that is saved here
        if self._agreed(trainer):
            raise Interrupted(self._received or signal.SIGTERM)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        handle(stop)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # at the end of an epoch, validation and the epoch's own checkpoint come first
        if not trainer.is_last_batch and self._agreed(trainer):
            self._save(trainer)
            raise Interrupted(self._received or signal.SIGTERM)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._agreed(trainer):
            raise Interrupted(self._received or signal.SIGTERM)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        handle(stop)
        log.warning("%s: saving, then stopping; once more stops at once", signal.Signals(number).name)

    def _agreed(self, trainer: Trainer) -> bool:
        """Whether a signal reached any device: all must stop at the same batch."""
        if not is_shared():
            return self._received != 0
        return trainer.strategy.reduce_boolean_decision(self._received != 0, all=False)

    def _save(self, trainer: Trainer) -> None:
        checkpoint = trainer.checkpoint_callback
        if isinstance(checkpoint, ModelCheckpoint) and checkpoint.dirpath is not None:
            trainer.save_checkpoint(f"{checkpoint.dirpath}/{checkpoint.CHECKPOINT_NAME_LAST}.ckpt")
