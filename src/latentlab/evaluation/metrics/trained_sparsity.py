"""Codes of as many units as were kept in the training, of a sparse autoencoder that keeps more in an evaluation."""

from collections.abc import Iterable, Iterator

import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.probes import linear_probe_error
from latentlab.evaluation.metrics.samplers import generate
from latentlab.functional.batch import Batch
from latentlab.functional.losses import mse_per_image
from latentlab.functional.penalties import TopK, keep_largest
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes
from latentlab.models.sparse_ae import SparseAE


def codes_of_trained_sparsity(model: Autoencoder, batches: Iterable[Batch]) -> Codes:
    """Of each image, the `k` largest units in place of `alpha * k`.

    Raises:
        NotApplicable: the variant keeps equally many in training and evaluation.
    """
    if not isinstance(model, SparseAE) or not isinstance(model.penalty, TopK) or model.penalty.alpha == 1:
        raise NotApplicable("it keeps as many units of a code as in its training")
    z, y = [], []
    for batch in batches:
        raw = model.encode(batch.x, batch.y).raw
        assert raw is not None
        z.append(keep_largest(raw, model.penalty.k))
        y.append(batch.y)
    return Codes(torch.cat(z), torch.cat(y))


def error_of_trained_sparsity(model: Autoencoder, loader: Iterable[Batch], codes: Codes) -> Iterator[tuple[str, float]]:
    """mse_trained_k: squared error per pixel of the images decoded from `codes`, those of `loader`'s images."""
    x = torch.cat([batch.x for batch in loader])
    yield "mse_trained_k", float(mse_per_image(x, generate(model, codes.z, codes.y)).double().mean())


def probe_of_trained_sparsity(train: Codes, test: Codes) -> Iterator[tuple[str, float]]:
    """linear_probe_error_trained_k: fraction of misclassified test images, see `probes`."""
    yield "linear_probe_error_trained_k", linear_probe_error(train, test)
