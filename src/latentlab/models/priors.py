"""Priors over the code of a variant that is conditioned on the label."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import nn

from latentlab.functional.batch import Label
from latentlab.functional.distributions import DiagonalGaussian


class Prior(nn.Module, ABC):
    """p(z|y) for each label."""

    def __init__(self, latent_dim: int, num_classes: int) -> None:
        super().__init__()
        self.latent_dim, self.num_classes = latent_dim, num_classes

    @abstractmethod
    def forward(self, y: Label) -> DiagonalGaussian:
        """Mean and log-variance, (B, D) each."""


@final
class StandardPrior(Prior):
    """N(0, I) for every label (Sohn et al. 2015, the relaxed model)."""

    def forward(self, y: Label) -> DiagonalGaussian:
        return DiagonalGaussian.standard(len(y), self.latent_dim, y.device)


@final
class LabelPrior(Prior):
    """One learned diagonal Gaussian per label (Sohn et al. 2015, eq. 4: p(z|y) in place of p(z)); starts at N(0, I)."""

    def __init__(self, latent_dim: int, num_classes: int) -> None:
        super().__init__(latent_dim, num_classes)
        self.mean = nn.Parameter(torch.zeros(num_classes, latent_dim))
        self.log_var = nn.Parameter(torch.zeros(num_classes, latent_dim))

    def forward(self, y: Label) -> DiagonalGaussian:
        return DiagonalGaussian(self.mean[y], self.log_var[y])
