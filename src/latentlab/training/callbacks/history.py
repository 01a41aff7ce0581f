"""Learning curves in the run's folder, with any loggers or none: lines of `history.jsonl`."""

import json
from pathlib import Path
from typing import final

from lightning.pytorch import Callback, LightningModule, Trainer

from latentlab.errors import UserError
from latentlab.runs import Run
from latentlab.runs.files import append_line, for_json
from latentlab.runs.layout import HISTORY


@final
class History(Callback):
    """Appends {"epoch": 3, "step": 1290, "val/mse": ..., ...} once an epoch's metrics are known; NaN is null.

    Validation and training have a line each: a kill between an epoch's checkpoint and its end does not lose
    the validation metrics. After a resume an epoch may occur twice: readers merge its lines, the later one wins.

    Raises:
        UserError: the run's folder has been deleted.
    """

    def __init__(self, folder: Path) -> None:
        self._run = Run(folder)
        self._file = folder / HISTORY
        self._epoch: tuple[int, int] | None = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._write(trainer, "val/", (trainer.current_epoch + 1, trainer.global_step))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch = (trainer.current_epoch + 1, trainer.global_step)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._write_training(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._write_training(trainer)

    def _write_training(self, trainer: Trainer) -> None:
        """Of the epoch before: its metrics are logged after the callbacks' hook for the end of an epoch."""
        if self._epoch is not None:
            self._write(trainer, "train/", self._epoch)
        self._epoch = None

    def _write(self, trainer: Trainer, prefix: str, epoch: tuple[int, int]) -> None:
        if not trainer.is_global_zero:
            return
        if not self._run.config_file.is_file():  # whatever is written next would make the folder again
            raise UserError(f"{self._run.folder} has been deleted, and the run with it; start it again")
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(prefix)}
        append_line(
            self._file, json.dumps({"epoch": epoch[0], "step": epoch[1], **for_json(dict(sorted(metrics.items())))})
        )
