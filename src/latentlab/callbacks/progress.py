"""A progress bar that is redrawn by time, not by step."""

import time
from typing import Any, final

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.progress import BarColumn, Progress as RichProgress, TextColumn, TimeRemainingColumn

from latentlab.models.base import Autoencoder

SECONDS_BETWEEN_DRAWS = 0.25


@final
class Progress(Callback):
    """One bar over the whole training: epoch, objective of the newest batch, steps a second, time left."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._drawn, self._steps = time.monotonic(), trainer.global_step
        if not trainer.is_global_zero:
            self._drawn = float("inf")
            return
        self._bar = RichProgress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} steps  objective {task.fields[objective]}"),
            TextColumn("{task.fields[speed]} steps/s"),
            TimeRemainingColumn(),
            auto_refresh=False,
        )
        self._task = self._bar.add_task(
            "fit",
            total=trainer.estimated_stepping_batches,
            completed=trainer.global_step,
            epoch=trainer.current_epoch + 1,
            epochs=trainer.max_epochs,
            objective="-",
            speed="-",
        )
        self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWS:
            self._draw(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._draw(trainer, pl_module)
            self._bar.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if hasattr(self, "_bar"):
            self._bar.stop()

    def _draw(self, trainer: Trainer, model: LightningModule) -> None:
        assert isinstance(model, Autoencoder)
        now = time.monotonic()
        objective = model.running["train"].latest("objective")
        self._bar.update(
            self._task,
            completed=trainer.global_step,
            epoch=min(trainer.current_epoch + 1, trainer.max_epochs or 0),
            speed=f"{(trainer.global_step - self._steps) / max(now - self._drawn, 1e-9):.0f}",
            **({"objective": f"{objective:.4g}"} if objective is not None else {}),
        )
        self._bar.refresh()
        self._drawn, self._steps = now, trainer.global_step
