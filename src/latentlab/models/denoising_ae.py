"""The denoising autoencoder."""

from collections.abc import Sequence
from typing import final

from latentlab.functional.batch import AnyLabel, Batch, Image
from latentlab.functional.corruption import Corruption
from latentlab.models.base import Autoencoder, Encoding
from latentlab.models.parts import Measurement, Parts


@final
class DenoisingAE(Autoencoder):
    """Encodes a corrupted image and reconstructs the clean one (Vincent et al. 2008).

    corruption: of the encoder's input.
    """

    def __init__(
        self, parts: Parts, latent_dim: int, corruption: Corruption, measurements: Sequence[Measurement] = ()
    ) -> None:
        super().__init__(parts, latent_dim, measurements)
        self.corruption = corruption

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        return Encoding(self.features(x))

    def corrupt(self, batch: Batch) -> Image:
        return self.corruption(batch.x, batch.random)
