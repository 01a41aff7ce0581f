"""A variant with one more term, as a user writes it in a file of their own."""

from typing import final

from latentlab.functional.batch import AnyLabel, Batch, Image
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.parts import Parts


@final
class ShortCode(Autoencoder):
    """A plain autoencoder that pays for the squared length of its code."""

    def __init__(self, parts: Parts, latent_dim: int, length_weight: float) -> None:
        super().__init__(parts, latent_dim)
        self.length_weight = length_weight

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        return Encoding(self.encoder(x))

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        return {**super().terms(batch, encoding), "length": encoding.z.square().sum(1)}

    def weights(self, step: int) -> dict[str, float]:
        return {"reconstruction": 1.0, "length": self.length_weight}
