"""The conditional variational autoencoder."""

from collections.abc import Callable
from typing import ClassVar, final

from latentlab.functional.batch import AnyLabel, Batch, Code, Image, Label, one_hot
from latentlab.functional.densities import Density
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.bounds import ONE_DRAW, Bound, Inference
from latentlab.models.parts import Parts
from latentlab.models.priors import Prior


@final
class CVAE(Autoencoder):
    """A VAE whose encoder and decoder are conditioned on the label: a bound on log p(x|y) (Sohn et al. 2015).

    beta, free_bits: see `KLTerm`.
    kl_schedule: factor of `beta` by optimizer step.
    prior: p(z|y), made for a code's size, a number of classes and the images' shape.
    bound: the lower bound on log p(x|y) that is maximised.

    Raises:
        ValueError: the data has no labels, or an option is out of range or does not fit another one.
    """

    parameters_per_latent: ClassVar[int] = 2
    conditional: ClassVar[bool] = True

    def __init__(
        self,
        parts: Parts,
        latent_dim: int,
        beta: float,
        kl_schedule: WeightSchedule,
        prior: Callable[[int, int, tuple[int, int, int]], Prior],
        free_bits: float = 0.0,
        bound: Bound = ONE_DRAW,
    ) -> None:
        if parts.num_classes == 0:
            raise ValueError(
                "cvae needs labels, the data has none; choose model=vae, or data with labels and data.labels=true"
            )
        super().__init__(parts, latent_dim)
        self.kl_term = KLTerm(beta, kl_schedule, free_bits)
        self.label_prior = prior(latent_dim, parts.num_classes, parts.image_shape)
        self.bound, self.batch_terms = bound, self.kl_term.batch_terms
        bound.check(self.kl_term, self.label_prior.gaussian)

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        return self.encode_batch(x, self.known_labels(y, x))

    def encode_batch(self, x: Image, y: Label) -> Encoding:
        posterior = DiagonalGaussian(*self.features(x, one_hot(y, self.num_classes)).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def decode_parameters(self, z: Code, y: AnyLabel = None) -> Image:
        return self.decoder(z.to(self.dtype), one_hot(self.labels(y, z), self.num_classes))

    def prior(self, y: Label) -> Density:
        return self.label_prior(self.known_labels(y, y), self.encoder)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        assert encoding.posterior is not None
        of = Inference(batch, encoding.posterior, self.label_prior(batch.y, self.encoder), self.reconstruction)
        return self.bound.terms(of, self.kl_term)

    def weights(self, step: int) -> dict[str, float]:
        return self.bound.weights(self.kl_term, step)
