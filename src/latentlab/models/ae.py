"""The plain autoencoder."""

from typing import final

from latentlab.functional.batch import Batch, Image, Label
from latentlab.models.base import Autoencoder, Encoding, Terms


@final
class AE(Autoencoder):
    """Reconstruction alone: minimise -log p(x | decode(encode(x)))  (Hinton and Salakhutdinov 2006)."""

    def encode(self, x: Image, y: Label) -> Encoding:
        return Encoding(self.encoder(x))

    def terms(self, batch: Batch) -> Terms:
        z = self.encode(batch.x, batch.y).z
        return {"reconstruction": self.reconstruction(batch, z)}
