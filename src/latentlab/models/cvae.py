"""The conditional variational autoencoder."""

from collections.abc import Callable
from typing import ClassVar, final

from latentlab.errors import ConfigError
from latentlab.functional.batch import Batch
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.losses import check_kl_options
from latentlab.functional.losses import free_bits as free_bits_term
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Code, Encoding, Image, Label, Terms, one_hot
from latentlab.models.parts import Parts
from latentlab.models.priors import Prior


@final
class CVAE(Autoencoder):
    """A VAE whose encoder and decoder are told the label: a bound on log p(x|y) (Sohn et al. 2015).

    Raises:
        ConfigError: the data has no labels, or an option is out of range.
    """

    parameters_per_latent: ClassVar[int] = 2
    conditional: ClassVar[bool] = True

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
            raise ConfigError("model: cvae needs labels, the data has none; choose model=vae or data.labels=true")
        super().__init__(parts, latent_dim)
        check_kl_options(beta, free_bits)
        self.beta, self.kl_schedule, self.free_bits = beta, kl_schedule, free_bits
        self.label_prior = prior(latent_dim, parts.num_classes)

    def encode(self, x: Image, y: Label) -> Encoding:
        posterior = DiagonalGaussian(*self.encoder(x, one_hot(y, self.num_classes)).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def decode(self, z: Code, y: Label) -> Image:
        return self.decoder(z, one_hot(y, self.num_classes))

    def prior(self, y: Label) -> DiagonalGaussian:
        return self.label_prior(y)

    def corrupt(self, batch: Batch) -> Image:
        return batch.x

    def terms(self, batch: Batch) -> Terms:
        condition = one_hot(batch.y, self.num_classes)
        posterior = DiagonalGaussian(*self.encoder(batch.x, condition).chunk(2, dim=1))
        z = posterior.sample(batch.random.normal(posterior.mean))
        kl = posterior.kl(self.prior(batch.y))
        return {
            "reconstruction": -self.likelihood.log_prob(batch.x, self.decoder(z, condition)),
            "kl": kl.sum(1),
            "free_bits": free_bits_term(kl, batch.size, self.free_bits),
        }

    def weights(self, step: int | None) -> dict[str, float]:
        kl = self.beta * (self.kl_schedule.final if step is None else self.kl_schedule(step))
        return {"reconstruction": 1.0, "kl": kl, "free_bits": kl}
