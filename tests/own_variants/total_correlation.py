"""A variant with a term that depends on the whole batch, as a user writes it in a file of their own."""

import math
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import AnyLabel, Batch, Image, Label
from latentlab.functional.densities import StandardGaussian
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.parts import Parts


@final
class TotalCorrelationVAE(Autoencoder):
    """The beta-TCVAE: a VAE that pays `beta` for the dependence between its latent units (Chen et al. 2018, eq. 4).

    images: training images, N of the minibatch-weighted estimate.
    """

    parameters_per_latent: ClassVar[int] = 2
    batch_terms = frozenset({"total_correlation"})

    def __init__(self, parts: Parts, latent_dim: int, beta: float, images: int) -> None:
        super().__init__(parts, latent_dim)
        self.beta, self.images = beta, images

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        posterior = DiagonalGaussian(*self.encoder(x).chunk(2, dim=1))
        return Encoding(posterior.mean, posterior)

    def prior(self, y: Label) -> StandardGaussian:
        return StandardGaussian(len(y), self.latent_dim, y.device)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        posterior = encoding.posterior
        assert posterior is not None
        z = posterior.sample(batch.random.normal(posterior.mean))
        return {
            "reconstruction": self.reconstruction(batch, z),
            "kl": posterior.kl_to_standard().sum(1),
            "total_correlation": total_correlation(z, posterior, self.images),
        }

    def weights(self, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, "kl": 1.0, "total_correlation": self.beta - 1.0}


def total_correlation(z: Float[Tensor, "b d"], posterior: DiagonalGaussian, images: int) -> Float[Tensor, " b"]:
    """log q(z) - sum_d log q(z_d) in nats, (B,), by minibatch-weighted sampling: Chen et al. 2018, eq. 5."""
    rows, units = z.shape
    mean, log_var = posterior
    # log q(z_i,d | x_j), (B, B, D), without the constant that cancels
    log_density = -0.5 * (log_var + (z.unsqueeze(1) - mean).square() * (-log_var).exp())
    joint, marginals = log_density.sum(2).logsumexp(1), log_density.logsumexp(1).sum(1)
    return joint - marginals + (units - 1) * math.log(rows * images)
