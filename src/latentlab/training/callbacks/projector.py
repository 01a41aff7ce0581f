"""Codes for TensorBoard's projector."""

from typing import cast, final

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from latentlab.errors import ConfigError
from latentlab.models.base import Autoencoder
from latentlab.models.codes import collect_codes
from latentlab.training.callbacks.picture import picture_data


@final
class Projector(Callback):
    """Writes the codes of `images` validation images, with labels and thumbnails, at the end of the test.

    images: how many, at most those of the validation.

    Raises:
        ValueError: `images` is less than 1.
        ConfigError: at the start of training there is no TensorBoard logger.
    """

    def __init__(self, images: int) -> None:
        if images < 1:
            raise ValueError(f"images: expected 1 or more, found {images}")
        self.images = images

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit" and not _tensorboards(trainer):
            raise ConfigError(
                "callbacks.projector: expected a TensorBoard logger, found none; choose logger=tensorboard or "
                "callbacks=default"
            )

    @torch.no_grad()
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        model, data = cast(Autoencoder, pl_module), picture_data(trainer)
        batches = list(data.val_dataloader())
        codes = collect_codes(model, batches, self.images)
        sprites = torch.cat([batch.x for batch in batches])[: self.images]
        names = data.class_names
        labels = [names[y] if y >= 0 else str(y) for y in codes.y.tolist()]
        for logger in _tensorboards(trainer):
            logger.experiment.add_embedding(
                codes.z.cpu(), labels, sprites.clamp(0, 1).cpu(), trainer.global_step, tag="validation_codes"
            )


def _tensorboards(trainer: Trainer) -> list[TensorBoardLogger]:
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
