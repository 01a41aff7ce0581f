"""The error of a measurement or picture that does not apply to a model, and the check for a posterior."""

from typing import final

from latentlab.functional.batch import Batch
from latentlab.functional.densities import Density
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.models.base import Autoencoder


@final
class NotApplicable(Exception):  # noqa: N818
    """The model or its data lacks what is measured or drawn; the message is the reason."""


def posterior_and_prior(model: Autoencoder, batch: Batch) -> tuple[DiagonalGaussian, Density]:
    """q(z|x) and p(z), or p(z|y), of a batch of B images.

    Raises:
        NotApplicable: the variant has no posterior.
    """
    posterior, prior = model.encode(batch.x, batch.y).posterior, model.prior(batch.y)
    if posterior is None or prior is None:
        raise NotApplicable("it has no posterior")
    return posterior, prior
