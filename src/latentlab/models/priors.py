"""Priors over the code."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from latentlab.functional.batch import Image, Label
from latentlab.functional.densities import Density, GaussianMixture, StandardGaussian
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.codec import Codec
from latentlab.models.nets.base import Encoder

BLOB = 4  # pixels between the grid points of the smooth random images that pseudo-inputs start as


class Prior(nn.Module, ABC):
    """p(z), or p(z|y) for each label.

    gaussian: whether it is a diagonal Gaussian, to which the KL has a closed form for each unit.
    """

    gaussian: ClassVar[bool] = True

    def __init__(self, latent_dim: int, num_classes: int, image_shape: tuple[int, int, int]) -> None:
        """num_classes: of a variant that is conditioned on the label, otherwise 0. image_shape: (C, H, W)."""
        super().__init__()
        self.latent_dim, self.num_classes = latent_dim, num_classes

    @abstractmethod
    def forward(self, y: Label, encoder: Encoder) -> Density:
        """The density of a code for each of the labels, (B,). encoder: that of the variant."""


@final
class StandardPrior(Prior):
    """N(0, I) for every label (Sohn et al. 2015, the relaxed model)."""

    def forward(self, y: Label, encoder: Encoder) -> StandardGaussian:
        return StandardGaussian(len(y), self.latent_dim, y.device)


@final
class LabelPrior(Prior):
    """One learned diagonal Gaussian per label (Sohn et al. 2015, eq. 4: p(z|y) in place of p(z)); starts at N(0, I).

    Raises ValueError for a variant that is not conditioned on the label.
    """

    def __init__(self, latent_dim: int, num_classes: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__(latent_dim, num_classes, image_shape)
        if num_classes == 0:
            raise ValueError("prior: expected standard, mixture, vampprior or flow, found label; or choose model=cvae")
        self.mean = nn.Parameter(torch.zeros(num_classes, latent_dim))
        self.log_var = nn.Parameter(torch.zeros(num_classes, latent_dim))

    def forward(self, y: Label, encoder: Encoder) -> DiagonalGaussian:
        return DiagonalGaussian(self.mean[y], self.log_var[y])


@final
class MixturePrior(Prior):
    """A learned mixture of diagonal Gaussians with learned weights: "MoG" of Tomczak and Welling 2018, section 4.

    It starts with mean 0 and variance 1 of each unit, half within and half between the components.

    components: Gaussians in the mixture.

    Raises ValueError for fewer than one, or a variant that is conditioned on the label.
    """

    gaussian: ClassVar[bool] = False

    def __init__(
        self, latent_dim: int, num_classes: int, image_shape: tuple[int, int, int], components: int = 100
    ) -> None:
        super().__init__(latent_dim, num_classes, image_shape)
        _refuse_labels("a mixture", num_classes)
        check_count("prior.components", components)
        self.mean = nn.Parameter(0.5**0.5 * torch.randn(components, latent_dim))
        self.log_var = nn.Parameter(torch.full((components, latent_dim), 0.5).log())
        self.logits = nn.Parameter(torch.zeros(components))  # of the weights

    def forward(self, y: Label, encoder: Encoder) -> GaussianMixture:
        return GaussianMixture(self.mean, self.log_var, self.logits.log_softmax(0).expand(len(y), -1))


@final
class VampPrior(Prior):
    """The mean of the posteriors of learned pseudo-inputs: Tomczak and Welling 2018, equations 9 to 11.

    Pseudo-inputs are images: their pixels are sigmoids of parameters. They start as smooth random images, dark with
    bright strokes, whose posteriors are apart from each other as those of noise are not.

    pseudo_inputs: how many.

    Raises ValueError for fewer than one, or a variant that is conditioned on the label.
    """

    gaussian: ClassVar[bool] = False

    def __init__(
        self, latent_dim: int, num_classes: int, image_shape: tuple[int, int, int], pseudo_inputs: int = 500
    ) -> None:
        super().__init__(latent_dim, num_classes, image_shape)
        _refuse_labels("pseudo-inputs", num_classes)
        check_count("prior.pseudo_inputs", pseudo_inputs)
        channels, height, width = image_shape
        coarse = torch.randn(pseudo_inputs, channels, -(-height // BLOB), -(-width // BLOB))
        smooth = F.interpolate(coarse, size=(height, width), mode="bilinear")
        self.logits = nn.Parameter(4 * (smooth - 0.5))

    def images(self) -> Image:
        """The pseudo-inputs, (N, C, H, W), in [0, 1]."""
        return self.logits.sigmoid()

    def forward(self, y: Label, encoder: Encoder) -> GaussianMixture:
        posteriors = DiagonalGaussian(*encoder(self.images()).chunk(2, dim=1))
        return GaussianMixture.equal(posteriors, len(y))


def has_prior(model: Codec) -> bool:
    """Whether the variant has a prior."""
    return model.prior(torch.zeros(1, dtype=torch.int64, device=model.device)) is not None


@torch.no_grad()
def has_standard_prior(model: Codec) -> bool:
    """Whether the prior is N(0, I), for every label."""
    prior = model.prior(torch.arange(max(model.num_classes, 1), device=model.device))
    if isinstance(prior, DiagonalGaussian):
        return not bool(prior.mean.any() or prior.log_var.any())
    return isinstance(prior, StandardGaussian)


def _refuse_labels(name: str, num_classes: int) -> None:
    if num_classes:
        raise ValueError(f"prior: expected standard, label or flow with model=cvae, found {name}; or choose model=vae")


def check_count(name: str, count: int) -> None:
    """Raise ValueError for a count below 1, which the argument `name` is."""
    if count < 1:
        raise ValueError(f"{name}: expected at least 1, found {count}")
