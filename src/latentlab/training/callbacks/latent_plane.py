"""The codes of each class in a plane."""

from typing import ClassVar, final

from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from latentlab.figures.latent_plane import latent_plane
from latentlab.models.base import Autoencoder
from latentlab.training.callbacks.picture import PictureCallback, picture_data, run_line, validation_codes


@final
class LatentPlane(PictureCallback):
    """Validation codes by label: in the plane of the code, or of its first two principal components."""

    key: ClassVar[str] = "latent_plane"

    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        z, y, *_ = validation_codes(trainer, model)
        line = run_line(trainer, model, f"{len(y):,} validation images.")
        return latent_plane(z, y, picture_data(trainer).class_names, "Latent codes", line)
