"""The variational autoencoder."""

from typing import ClassVar, final

import torch

from latentlab.functional.batch import Batch
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.losses import check_kl_options
from latentlab.functional.losses import free_bits as free_bits_term
from latentlab.functional.schedules import WeightSchedule
from latentlab.models.base import Autoencoder, Code, Encoding, Image, Label, Terms
from latentlab.models.parts import Parts


@final
class VAE(Autoencoder):
    """A posterior N(mean, diag exp log_var) in place of a point, held to N(0, I) (Kingma and Welling 2013).

    beta weighs the KL (Higgins et al. 2017), `kl_schedule` scales it over the steps, and `free_bits` is the KL in
    nats that each latent unit may spend for nothing (Kingma et al. 2016, eq. 15).

    Raises:
        ConfigError: an option is out of range.
    """

    parameters_per_latent: ClassVar[int] = 2

    def __init__(
        self, parts: Parts, latent_dim: int, beta: float, kl_schedule: WeightSchedule, free_bits: float = 0.0
    ) -> None:
        super().__init__(parts, latent_dim)
        check_kl_options(beta, free_bits)
        self.beta, self.kl_schedule, self.free_bits = beta, kl_schedule, free_bits

    def encode(self, x: Image, y: Label) -> Encoding:
        posterior = DiagonalGaussian(*self.encoder(x).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def decode(self, z: Code, y: Label) -> Image:
        return self.decoder(z)

    def prior(self, y: Label) -> DiagonalGaussian:
        zeros = torch.zeros(*y.shape, self.latent_dim, device=y.device)
        return DiagonalGaussian(zeros, zeros)

    def corrupt(self, batch: Batch) -> Image:
        return batch.x

    def terms(self, batch: Batch) -> Terms:
        posterior = DiagonalGaussian(*self.encoder(batch.x).chunk(2, dim=1))
        z = posterior.sample(batch.random.normal(posterior.mean))
        kl = posterior.kl_to_standard()
        return {
            "reconstruction": -self.likelihood.log_prob(batch.x, self.decode(z, batch.y)),
            "kl": kl.sum(1),
            "free_bits": free_bits_term(kl, batch.size, self.free_bits),
        }

    def weights(self, step: int | None) -> dict[str, float]:
        kl = self.beta * (self.kl_schedule.final if step is None else self.kl_schedule(step))
        return {"reconstruction": 1.0, "kl": kl, "free_bits": kl}
