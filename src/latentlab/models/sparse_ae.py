"""The sparse autoencoder."""

from collections.abc import Sequence
from functools import partial
from typing import final

from latentlab.functional.batch import AnyLabel, Batch, Image
from latentlab.functional.distributed import batch_mean
from latentlab.functional.penalties import Activity, Penalty
from latentlab.models.base import Autoencoder, Encoding, Terms
from latentlab.models.parts import Measurement, Parts


@final
class SparseAE(Autoencoder):
    """An often overcomplete code of which few units are active at a time (Ng 2011; Makhzani and Frey 2013).

    penalty: the activation function of the code, and the penalty on its activity.

    Raises:
        ValueError: the penalty cannot be computed for a code of this size.
    """

    def __init__(
        self, parts: Parts, latent_dim: int, penalty: Penalty, measurements: Sequence[Measurement] = ()
    ) -> None:
        super().__init__(parts, latent_dim, measurements)
        penalty.prepare(latent_dim)
        self.penalty = penalty
        self.batch_terms = frozenset({"sparsity"} | ({"reconstruction"} if penalty.code_depends_on_batch else set()))

    def encode(self, x: Image, y: AnyLabel = None) -> Encoding:
        raw = self.features(x)
        return Encoding(self.penalty.activate(raw), raw=raw)

    def terms(self, batch: Batch, encoding: Encoding) -> Terms:
        raw, z = encoding.raw, encoding.z
        assert raw is not None
        activity = Activity(raw, z, partial(batch_mean, size=batch.size))
        terms = {"reconstruction": self.reconstruction(batch, z), "sparsity": self.penalty(activity)}
        if self.penalty.auxiliary:
            terms["auxiliary"] = self.reconstruction(batch, self.penalty.revived(raw, z))
        if self.training:
            self.penalty.observe(activity, batch.size)
        return terms

    def weights(self, step: int) -> dict[str, float]:
        weights = {"reconstruction": 1.0, "sparsity": self.penalty.weight}
        return weights | ({"auxiliary": self.penalty.auxiliary} if self.penalty.auxiliary else {})
