"""When a picture is drawn and where it is logged; subclasses define what it shows."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, cast, final
from weakref import WeakKeyDictionary

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from matplotlib.figure import Figure

from latentlab.data.base import ImageDataModule
from latentlab.figures.caption import caption
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes, collect_codes
from latentlab.runs.layout import EPOCH_PICTURE
from latentlab.training.tracking import log_figure

MAX_CODES = 5_000
_codes: WeakKeyDictionary[Autoencoder, tuple[tuple[int, bool], Codes]] = WeakKeyDictionary()


class PictureCallback(Callback, ABC):
    """Draws every n epochs and, with the best weights, at the end of the test; on the first device alone.

    every_n_epochs: epochs between two pictures.
    keep_epochs: whether the pictures of all epochs stay in `figures/<key>/`, where a report finds them.
    key: under which loggers and the folder `figures/` file the picture.

    Raises:
        ValueError: `every_n_epochs` is less than 1.
    """

    key: ClassVar[str]

    def __init__(self, every_n_epochs: int, keep_epochs: bool = False) -> None:
        if every_n_epochs < 1:
            raise ValueError(
                f"every_n_epochs: expected 1 or more, found {every_n_epochs}; for no picture set the callback to null"
            )
        self.every_n_epochs = every_n_epochs
        self.keep_epochs = keep_epochs

    @abstractmethod
    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        """The picture of the model as it is; called in evaluation mode and without gradients."""

    @final
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        if due and not _is_last_epoch(trainer):  # the test draws that one, with the best weights
            kept_as = EPOCH_PICTURE.format(trainer.current_epoch + 1) if self.keep_epochs else None
            self._draw(trainer, pl_module, kept_as)

    @final
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._draw(trainer, pl_module)

    @torch.no_grad()
    def _draw(self, trainer: Trainer, pl_module: LightningModule, kept_as: str | None = None) -> None:
        if not trainer.is_global_zero:
            return
        model = cast(Autoencoder, pl_module)
        was_training = model.training
        model.eval()
        try:
            figure = self.picture(trainer, model)
        finally:
            model.train(was_training)
        log_figure(trainer.loggers, trainer.default_root_dir, self.key, figure, trainer.global_step, kept_as)


def picture_data(trainer: Trainer) -> ImageDataModule:
    """The run's datamodule."""
    return cast(ImageDataModule, trainer.datamodule)  # type: ignore[attr-defined]


def validation_codes(trainer: Trainer, model: Autoencoder) -> Codes:
    """The codes of up to `MAX_CODES` validation images, computed once for all pictures of the same moment."""
    moment = (trainer.global_step, trainer.testing)
    if model not in _codes or _codes[model][0] != moment:
        _codes[model] = moment, collect_codes(model, picture_data(trainer).val_dataloader(), MAX_CODES)
    return _codes[model][1]


def run_line(trainer: Trainer, model: Autoencoder, shown: str) -> str:
    """The line below a picture's title: variant, data, seed, run and weights, and `shown`, its content."""
    data = picture_data(trainer)
    weights = "best weights" if getattr(trainer.checkpoint_callback, "best_model_path", "") else "last weights"
    when = weights if trainer.testing else f"after epoch {trainer.current_epoch + 1}"
    run = Path(trainer.default_root_dir).resolve().name
    return caption(type(model).__name__, data.name, data.seed, run, when, shown)


def _is_last_epoch(trainer: Trainer) -> bool:
    epochs_done = trainer.max_epochs is not None and 0 <= trainer.max_epochs <= trainer.current_epoch + 1
    steps_done = 0 <= trainer.max_steps <= trainer.global_step
    return epochs_done or steps_done or trainer.should_stop
