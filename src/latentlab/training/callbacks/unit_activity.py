"""Which units of the code are used."""

from typing import ClassVar, final

from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from latentlab.figures.unit_activity import unit_activity
from latentlab.models.base import Autoencoder
from latentlab.training.callbacks.picture import PictureCallback, run_line, validation_codes


@final
class UnitActivity(PictureCallback):
    """Mean and variance of each unit over the validation codes, and its KL where there is a posterior."""

    key: ClassVar[str] = "unit_activity"

    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        z, y, kl, _ = validation_codes(trainer, model)
        line = run_line(trainer, model, f"Over {len(y):,} validation images.")
        mean_kl = None if kl is None else kl.mean(0)
        return unit_activity(z.mean(0), z.var(0, correction=0), mean_kl, "Activity of the code's units", line)
