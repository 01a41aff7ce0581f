"""The variational autoencoder."""

from collections.abc import Callable
from typing import ClassVar, final

from latentlab.functional.batch import AnyLabel, Batch, Image, Label
from latentlab.functional.densities import Density
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.bounds import ONE_DRAW, Bound, Inference
from latentlab.models.parts import Parts
from latentlab.models.priors import Prior, StandardPrior


@final
class VAE(Autoencoder):
    """An encoder that returns a posterior N(mean, diag exp log_var), with KL to a prior (Kingma and Welling 2013).

    beta, free_bits: see `KLTerm`.
    kl_schedule: factor of `beta` by optimizer step.
    prior: p(z), made for a code's size, a number of classes and the images' shape.
    bound: the lower bound on log p(x) that is maximised.

    Raises:
        ValueError: an option is out of range, or does not fit another one.
    """

    parameters_per_latent: ClassVar[int] = 2

    def __init__(
        self,
        parts: Parts,
        latent_dim: int,
        beta: float,
        kl_schedule: WeightSchedule,
        free_bits: float = 0.0,
        prior: Callable[[int, int, tuple[int, int, int]], Prior] = StandardPrior,
        bound: Bound = ONE_DRAW,
    ) -> None:
        super().__init__(parts, latent_dim)
        self.kl_term = KLTerm(beta, kl_schedule, free_bits)
        self.code_prior = prior(latent_dim, 0, parts.image_shape)
        self.bound, self.batch_terms = bound, self.kl_term.batch_terms
        bound.check(self.kl_term, self.code_prior.gaussian)

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        posterior = DiagonalGaussian(*self.features(x).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def prior(self, y: Label) -> Density:
        return self.code_prior(y, self.encoder)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        assert encoding.posterior is not None
        of = Inference(batch, encoding.posterior, self.prior(batch.y), self.reconstruction)
        return self.bound.terms(of, self.kl_term)

    def weights(self, step: int) -> dict[str, float]:
        return self.bound.weights(self.kl_term, step)
