"""Images beside their reconstructions."""

from typing import ClassVar, final

from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from latentlab.figures.images import comparison
from latentlab.models.base import Autoencoder
from latentlab.training.callbacks.picture import PictureCallback, picture_data, run_line

IMAGES = 16


@final
class Reconstructions(PictureCallback):
    """The same validation images in every picture, over their outputs; in between the corrupted inputs, if any."""

    key: ClassVar[str] = "reconstructions"

    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        batch = picture_data(trainer).showcase(IMAGES)
        seen = model.corrupt(batch)
        restored = model.reconstruct(seen, batch.y)
        count = len(batch.y)
        if seen is batch.x:
            line = run_line(trainer, model, f"{count} validation images.")
            return comparison({"input": batch.x, "output": restored}, "Reconstructions", line)
        line = run_line(trainer, model, f"{count} validation images, the model saw the noisy ones.")
        rows = {"clean": batch.x, "noisy": seen, "restored": restored}
        return comparison(rows, "Restored images", line)
