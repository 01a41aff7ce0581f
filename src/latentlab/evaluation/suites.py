"""The suites: which measurements and pictures each has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, final

from matplotlib.figure import Figure

from latentlab.errors import ConfigError
from latentlab.evaluation.measurements import FULL, QUICK, Measurement
from latentlab.evaluation.pictures.conditional import styles
from latentlab.evaluation.pictures.filters import decoder_filters, encoder_filters
from latentlab.evaluation.pictures.paths import interpolations, traversals
from latentlab.evaluation.pictures.planes import codes_by_tsne, codes_in_the_plane, ellipses, plane, strip
from latentlab.evaluation.pictures.reconstructions import best_to_worst
from latentlab.evaluation.pictures.robustness import restored, robustness_matrix
from latentlab.evaluation.pictures.samples import mixture_samples, prior_samples
from latentlab.evaluation.subject import Subject

SuiteName = Literal["quick", "full"]
Picture = Callable[[Subject], Figure]


@final
@dataclass(frozen=True)
class Suite:
    """Measurements and pictures by name, in their order of execution.

    samples: codes per image that the log-likelihood is estimated from.
    """

    samples: int
    measurements: dict[str, Measurement]
    pictures: dict[str, Picture]

    def with_measurements(self, own: Mapping[str, Measurement]) -> "Suite":
        """The suite, and after its own measurements these.

        Raises:
            ConfigError: one of them has the name of one of the suite's.
        """
        if taken := own.keys() & self.measurements.keys():
            raise ConfigError(f"measurements.{min(taken)}: the suite has a measurement of this name; choose another")
        return replace(self, measurements={**self.measurements, **own})


QUICK_PICTURES: dict[str, Picture] = {
    "best_to_worst": best_to_worst,
    "samples_prior": prior_samples,
    "samples_mixture": mixture_samples,
    "codes": codes_in_the_plane,
    "strip": strip,
    "plane": plane,
    "interpolations": interpolations,
    "traversals": traversals,
    "styles": styles,
    "ellipses": ellipses,
}
SUITES: dict[str, Suite] = {
    "quick": Suite(10, QUICK, QUICK_PICTURES),
    "full": Suite(
        200,
        FULL,
        {
            **QUICK_PICTURES,
            "codes_tsne": codes_by_tsne,
            "filters_encoder": encoder_filters,
            "filters_decoder": decoder_filters,
            "robustness": robustness_matrix,
            "restored": restored,
        },
    ),
}
