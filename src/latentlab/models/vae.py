"""The variational autoencoder."""

from typing import ClassVar, final

from latentlab.functional.batch import AnyLabel, Batch, Image, Label
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.parts import Parts


@final
class VAE(Autoencoder):
    """An encoder that returns a posterior N(mean, diag exp log_var), with KL to N(0, I) (Kingma and Welling 2013).

    beta, free_bits: see `KLTerm`.
    kl_schedule: factor of `beta` by optimizer step.

    Raises:
        ValueError: an option is out of range.
    """

    parameters_per_latent: ClassVar[int] = 2
    batch_terms = frozenset({"free_bits"})

    def __init__(
        self, parts: Parts, latent_dim: int, beta: float, kl_schedule: WeightSchedule, free_bits: float = 0.0
    ) -> None:
        super().__init__(parts, latent_dim)
        self.kl_term = KLTerm(beta, kl_schedule, free_bits)

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        posterior = DiagonalGaussian(*self.features(x).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def prior(self, y: Label) -> DiagonalGaussian:
        return DiagonalGaussian.standard(len(y), self.latent_dim, y.device)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        posterior = encoding.posterior
        assert posterior is not None
        z = posterior.sample(batch.random.normal(posterior.mean))
        kl = self.kl_term.of(posterior.kl_to_standard(), batch.size)
        return {"reconstruction": self.reconstruction(batch, z), **kl}

    def weights(self, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, **self.kl_term.weights(step)}
