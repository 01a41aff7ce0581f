"""A trained model's latent space: some test images, their codes, and what any code decodes to."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.data.base import ImageDataModule
from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader
from latentlab.evaluation.metrics.samplers import Sampler, generate, own_sampler
from latentlab.figures.caption import caption
from latentlab.functional.batch import NO_LABEL, Batch, whole
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes, collect_codes
from latentlab.models.priors import has_prior

SHOWN = 2_000  # test images
FITTED = 4_000  # training images, to whose codes a Gaussian is fitted where there is no prior
TAILS = (0.005, 0.995)  # of a unit's range


@final
@dataclass(eq=False)
class LatentSpace:
    """Codes, (N, D), and labels of the first test images, and both ways between images and codes.

    A label is one number for all images or codes of a call, which only a conditional model reads.

    Args:
        model: in evaluation mode.
        data: loaded, without a trainer.
        name: of the run.
        weights: which of the run's weights the model has, best or last.
    """

    model: Autoencoder
    data: ImageDataModule
    name: str
    weights: str

    @cached_property
    def images(self) -> Batch:
        """The test images that are shown, as the model sees them."""
        return whole(self._loader(self.data.test, "test", SHOWN))

    @cached_property
    def codes(self) -> Codes:
        """Their codes."""
        return collect_codes(self.model, self._loader(self.data.test, "test", SHOWN))

    @cached_property
    def units(self) -> list[int]:
        """The units, the most active first: by their mean KL, else by their variance."""
        order: list[int] = self.codes.activity.argsort(descending=True, stable=True).tolist()
        return order

    @cached_property
    def ranges(self) -> Float[Tensor, "d 2"]:
        """The .5 % and 99.5 % quantiles of each unit's codes, widened where they coincide."""
        low, high = self.codes.z.quantile(torch.tensor(TAILS), 0)
        room = (0.5 - (high - low) / 2).clamp_min(0) * ((high - low) < 1e-3)
        return torch.stack((low - room, high + room), 1)

    @property
    def proportion(self) -> float:
        """Width by height of an image."""
        _, height, width = self.model.image_shape
        return width / height

    @property
    def units_measure(self) -> str:
        """What the activity of a unit is measured by."""
        return "variance" if self.codes.kl is None else "KL in nats"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels; empty without labels."""
        return tuple(self.data.class_names) if self.data.num_classes else ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels that the decoder can be told; empty for a model that takes none."""
        return self.classes if self.model.conditional else ()

    @cached_property
    def source(self) -> str:
        """What `draw` draws from, in words."""
        return "prior" if has_prior(self.model) else "Gaussian fitted to the codes"

    def decode(self, z: Float[Tensor, "n d"], label: int = NO_LABEL) -> Float[Tensor, "n c h w"]:
        """The expected image of each code, within [0, 1]."""
        return generate(self.model, z, torch.full((len(z),), label)).float().clamp(0, 1)

    @torch.no_grad()
    def encode(self, x: Float[Tensor, "n c h w"], label: int = NO_LABEL) -> Float[Tensor, "n d"]:
        """The code of each image; the posterior's mean where there is one."""
        return self.model.encode(x, label if self.model.conditional else None).z.float()

    @torch.no_grad()
    def draw(self, generator: torch.Generator, label: int = NO_LABEL) -> Float[Tensor, " d"]:
        """A code of the prior, or else of a Gaussian with the codes' mean and covariance."""
        y = torch.full((1,), label)
        prior = self.model.prior(y)
        if prior is not None:
            return prior.draw(generator)[0].float()
        z, _ = self._sampler(1, generator)
        return z[0].float()

    def caption(self, shown: str) -> str:
        """The line below a picture: the run, and what is shown."""
        variant = type(self.model).__name__
        return caption(variant, self.data.name, self.data.seed, self.name, f"{self.weights} weights", shown)

    @cached_property
    def _sampler(self) -> Sampler:
        return own_sampler(self.model, self._fitted)[1]

    @cached_property
    def _fitted(self) -> Codes:
        return collect_codes(self.model, self._loader(self.data.train, "train in order", FITTED))

    def _loader(self, images: Images, stage: str, limit: int) -> ResidentLoader:
        some = torch.arange(min(limit, len(images.labels)))
        return self.data.evaluation_loader(images.part(some), stage, self.model.device)
