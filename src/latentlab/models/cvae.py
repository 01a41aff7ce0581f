"""The conditional variational autoencoder."""

from collections.abc import Callable
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import AnyLabel, Batch, Code, Image, Label
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.parts import Parts
from latentlab.models.priors import Prior


@final
class CVAE(Autoencoder):
    """A VAE whose encoder and decoder are conditioned on the label: a bound on log p(x|y) (Sohn et al. 2015).

    beta, free_bits: see `KLTerm`.
    kl_schedule: factor of `beta` by optimizer step.
    prior: makes p(z|y) from a code's size and a number of classes.

    Raises:
        ValueError: the data has no labels, or an option is out of range.
    """

    parameters_per_latent: ClassVar[int] = 2
    conditional: ClassVar[bool] = True
    batch_terms = frozenset({"free_bits"})

    def __init__(
        self,
        parts: Parts,
        latent_dim: int,
        beta: float,
        kl_schedule: WeightSchedule,
        prior: Callable[[int, int], Prior],
        free_bits: float = 0.0,
    ) -> None:
        if parts.num_classes == 0:
            raise ValueError("cvae needs labels, the data has none; choose model=vae or data.labels=true")
        super().__init__(parts, latent_dim)
        self.kl_term = KLTerm(beta, kl_schedule, free_bits)
        self.label_prior = prior(latent_dim, parts.num_classes)

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        return self.encode_batch(x, self.known_labels(y, x))

    def encode_batch(self, x: Image, y: Label) -> Encoding:
        posterior = DiagonalGaussian(*self.features(x, one_hot(y, self.num_classes)).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def decode_parameters(self, z: Code, y: AnyLabel = None) -> Image:
        return self.decoder(z.to(self.dtype), one_hot(self.labels(y, z), self.num_classes))

    def prior(self, y: Label) -> DiagonalGaussian:
        return self.label_prior(self.known_labels(y, y))

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        posterior = encoding.posterior
        assert posterior is not None
        z = posterior.sample(batch.random.normal(posterior.mean))
        kl = self.kl_term.of(posterior.kl(self.label_prior(batch.y)), batch.size)
        return {"reconstruction": self.reconstruction(batch, z), **kl}

    def weights(self, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, **self.kl_term.weights(step)}


def one_hot(y: Label, classes: int) -> Float[Tensor, "b k"]:
    """Labels as float indicator vectors, (B, K)."""
    return (y.unsqueeze(1) == torch.arange(classes, device=y.device)).to(torch.get_default_dtype())
