"""A progress bar that is redrawn at intervals of time, not of steps."""

import time
from typing import Any, ClassVar, cast, final

from lightning.pytorch import Callback, LightningModule, Trainer
from rich import progress as rich

from latentlab.models.base import Autoencoder

SECONDS_BETWEEN_DRAWS = 0.25


@final
class Progress(Callback):
    """One bar over the whole training: epoch, objective of the newest batch, steps per second, time left.

    Another one over the test.
    """

    once_per_call: ClassVar[bool] = True

    def __init__(self) -> None:
        self._bar: rich.Progress | None = None
        self._drawn = float("inf")
        self._steps = 0
        self._objective = float("nan")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self._drawn, self._steps = time.monotonic(), trainer.global_step
        self._bar = rich.Progress(
            rich.TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            rich.BarColumn(bar_width=None),
            rich.TextColumn("{task.completed:.0f}/{task.total:.0f} steps  objective {task.fields[objective]}"),
            rich.TextColumn("{task.fields[speed]} steps/s"),
            rich.TimeRemainingColumn(),
            auto_refresh=False,
        )
        self._task = self._bar.add_task(
            "training",
            total=cast(Autoencoder, pl_module).total_steps,
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
        self._draw(trainer, pl_module)
        self._close()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._bar = rich.Progress(rich.TextColumn("testing"), rich.BarColumn(bar_width=None), transient=True)
            self._task = self._bar.add_task("", total=sum(trainer.num_test_batches))
            self._bar.start()

    def on_test_batch_end(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.advance(self._task)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None

    def _draw(self, trainer: Trainer, model: LightningModule) -> None:
        if self._bar is None:
            return
        assert isinstance(model, Autoencoder)
        now = time.monotonic()
        latest = model.running["train"].latest("objective")
        # between two epochs: the mean of the one before
        if latest is None and "train/objective" in trainer.callback_metrics:
            latest = float(trainer.callback_metrics["train/objective"])
        self._objective = self._objective if latest is None else latest
        self._bar.update(
            self._task,
            completed=trainer.global_step,
            epoch=min(trainer.current_epoch + 1, trainer.max_epochs or 0),
            speed=f"{(trainer.global_step - self._steps) / max(now - self._drawn, 1e-9):.0f}",
            objective=f"{self._objective:.5g}",
        )
        self._bar.refresh()
        self._drawn, self._steps = now, trainer.global_step
