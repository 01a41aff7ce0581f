"""The plain autoencoder."""

from typing import final

from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder, Code, Encoding, Image, Label, Terms
from latentlab.models.parts import Parts


@final
class AE(Autoencoder):
    """Reconstruction alone: minimise -log p(x | decode(encode(x)))  (Hinton and Salakhutdinov 2006)."""

    def __init__(self, parts: Parts, latent_dim: int) -> None:
        super().__init__(parts, latent_dim)

    def encode(self, x: Image, y: Label) -> Encoding:
        return Encoding(self.encoder(x))

    def decode(self, z: Code, y: Label) -> Image:
        return self.decoder(z)

    def prior(self, y: Label) -> None:
        return None

    def corrupt(self, batch: Batch) -> Image:
        return batch.x

    def terms(self, batch: Batch) -> Terms:
        z = self.encode(batch.x, batch.y).z
        return {"reconstruction": -self.likelihood.log_prob(batch.x, self.decode(z, batch.y))}

    def weights(self, step: int | None) -> dict[str, float]:
        return {"reconstruction": 1.0}
