"""The plain autoencoder."""

from typing import final

from latentlab.functional.batch import AnyLabel, Image
from latentlab.models.base import Autoencoder, Encoding


@final
class AE(Autoencoder):
    """Reconstruction alone: minimise -log p(x | decode(encode(x)))  (Hinton and Salakhutdinov 2006)."""

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        return Encoding(self.features(x))
