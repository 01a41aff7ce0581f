"""Quiet mode: one line an epoch, for sweeps, logs and CI."""

import logging
import time
from typing import final

from lightning.pytorch import Callback, LightningModule, Trainer

log = logging.getLogger(__name__)

SHOWN = ("train/objective", "val/objective", "val/mse", "val/elbo")


@final
class EpochLine(Callback):
    """Logs the epoch's figures once they are all in."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # an epoch that is resumed in its middle is not started again
        self._began, self._open = time.monotonic(), trainer.fit_loop.restarted_mid_epoch

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._print(trainer, trainer.current_epoch)
        self._open = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._print(trainer, trainer.current_epoch)

    def _print(self, trainer: Trainer, epochs: int) -> None:
        """The epoch before: its training figures come after the hook that callbacks have for an epoch's end."""
        now = time.monotonic()
        if self._open and trainer.is_global_zero:
            figures = trainer.callback_metrics
            shown = "  ".join(f"{name} {figures[name]:.5g}" for name in SHOWN if name in figures)
            log.info("epoch %d/%s  %s  %.1f s", epochs, trainer.max_epochs, shown, now - self._began)
        self._began, self._open = now, False
