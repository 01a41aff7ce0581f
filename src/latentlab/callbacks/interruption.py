"""SIGINT and SIGTERM: save the state, then stop with the exit status that belongs to the signal."""

import logging
import signal
from types import FrameType
from typing import Any, final

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from latentlab.distributed import is_shared
from latentlab.errors import Interrupted

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STEPS_BETWEEN_AGREEMENTS = 10


@final
class Interruption(Callback):
    """Stops after the batch that a signal fell into, with `last.ckpt` saved there; a second signal stops at once.

    Lightning itself ends a run with status 0 on SIGTERM, and saves nothing on either signal.

    Raises:
        Interrupted: from `on_train_batch_end` or `on_train_end`.
    """

    def __init__(self) -> None:
        self._received = 0
        self._before: dict[signal.Signals, Any] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._received = 0
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._receive)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._restore()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # at the end of an epoch, validation and the epoch's own checkpoint come first
        if not trainer.is_last_batch and self._agreed(trainer, batch_idx):
            self._save(trainer)
            raise Interrupted(self._received or signal.SIGTERM)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._received:
            raise Interrupted(self._received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        self._restore()
        log.warning("%s: saving, then stopping; once more stops at once", signal.Signals(number).name)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _agreed(self, trainer: Trainer, batch_idx: int) -> bool:
        """Whether to stop now: devices must stop at the same batch, and asking each other costs time."""
        if not is_shared():
            return self._received != 0
        if batch_idx % STEPS_BETWEEN_AGREEMENTS:
            return False
        return trainer.strategy.reduce_boolean_decision(self._received != 0, all=False)

    def _save(self, trainer: Trainer) -> None:
        checkpoint = trainer.checkpoint_callback
        if isinstance(checkpoint, ModelCheckpoint) and checkpoint.dirpath is not None:
            trainer.save_checkpoint(f"{checkpoint.dirpath}/{checkpoint.CHECKPOINT_NAME_LAST}.ckpt")
