"""Images sampled from a model."""

from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from lightning.pytorch import Trainer
from matplotlib.figure import Figure
from torch import Tensor

from latentlab.figures.images import image_grid
from latentlab.models.base import Autoencoder
from latentlab.training.callbacks.picture import PictureCallback, picture_data, run_line, validation_codes

COLUMNS = 10
ROWS = 10
SEED = 0  # of the noise: the same in every picture


@final
class Samples(PictureCallback):
    """Images of codes drawn from the prior, one row per label where the model is conditional.

    A variant without a prior is sampled from a diagonal Gaussian fitted to its validation codes, which the
    picture states.
    """

    key: ClassVar[str] = "samples"

    def picture(self, trainer: Trainer, model: Autoencoder) -> Figure:
        rows = model.num_classes if model.conditional else ROWS
        y = torch.arange(rows, device=model.device).repeat_interleave(COLUMNS)
        labels = y if model.conditional else torch.zeros_like(y)
        z, source = _codes(trainer, model, labels)
        images = model.decode(z, labels)
        if not model.conditional:
            line = run_line(trainer, model, f"{len(y)} codes from {source}.")
            return image_grid(images, COLUMNS, "Samples", line)
        names = picture_data(trainer).class_names
        line = run_line(trainer, model, f"{COLUMNS} codes per label from {source}.")
        return image_grid(images, COLUMNS, "Samples by label", line, names, "label given to the decoder")


def _codes(trainer: Trainer, model: Autoencoder, y: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n d"], str]:
    generator = torch.Generator().manual_seed(SEED)
    prior = model.prior(y)
    if prior is not None:
        return prior.draw(generator), "the prior"
    codes = validation_codes(trainer, model).z
    source = f"a diagonal Gaussian fitted to {len(codes):,} validation codes (this variant has no prior)"
    noise = torch.randn(len(y), model.latent_dim, generator=generator).to(codes)
    return codes.mean(0) + codes.std(0, correction=0) * noise, source
