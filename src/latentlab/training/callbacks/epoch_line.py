"""One log line per epoch, for sweeps, logs and CI, and beside a progress bar in the run's log file."""

import logging
import time
from typing import Any, ClassVar, final

from lightning.pytorch import Callback, LightningModule, Trainer

log = logging.getLogger(__name__)

SHOWN = ("train/objective", "val/objective", "val/mse", "val/elbo")


@final
class EpochLine(Callback):
    """Logs the metrics of an epoch once all of them are known. logger: to which."""

    once_per_call: ClassVar[bool] = True

    def __init__(self, logger: logging.Logger = log) -> None:
        self._logger = logger

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._began, self._open, self._is_validated = time.monotonic(), False, False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer)

    def on_train_batch_start(self, *_: Any) -> None:
        self._open = True  # not at the epoch's start: one that is resumed in its middle is not started again

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._is_validated = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(trainer)

    def _log(self, trainer: Trainer) -> None:
        """The epoch before: its training metrics are logged after the callbacks' hook for the end of an epoch."""
        now = time.monotonic()
        if self._open and trainer.is_global_zero:
            metrics = trainer.callback_metrics
            names = [name for name in SHOWN if self._is_validated or not name.startswith("val/")]  # not an old one
            shown = "  ".join(f"{name} {metrics[name]:.5g}" for name in names if name in metrics)
            done, seconds = trainer.current_epoch, now - self._began
            self._logger.info("epoch %d/%s  %s  %.1f s", done, trainer.max_epochs, shown, seconds)
        self._began, self._open, self._is_validated = now, False, False
