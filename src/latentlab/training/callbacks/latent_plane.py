"""The codes of each class in a plane."""

from typing import ClassVar, final

from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from latentlab.figures.latent_plane import latent_plane
from latentlab.models.base import Autoencoder
from latentlab.models.codes import collect_codes
from latentlab.training.callbacks.picture import PictureCallback, picture_data, run_line

MAX_CODES = 5_000


@final
class LatentPlane(PictureCallback):
    """Validation codes by label: in the plane of the code, or of its first two principal components."""

    key: ClassVar[str] = "latent_plane"

    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        data = picture_data(trainer)
        codes = collect_codes(model, data.val_dataloader(), MAX_CODES)
        line = run_line(trainer, model, f"{len(codes.y):,} validation images.")
        return latent_plane(codes.z, codes.y, data.class_names, "Latent codes", line)
