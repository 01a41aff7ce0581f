"""Which metrics of the groups are of one kind, so that one of them can be marked as the best."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from latentlab.report.reading.groups import FINGERPRINT, Group
from latentlab.report.reading.records import Record

_DISTRIBUTIONS = "latentlab.functional.distributions"
DENSITIES = tuple(f"{_DISTRIBUTIONS}.{name}" for name in ("ContinuousBernoulli", "Gaussian", "Laplace"))
LIKELIHOODS = ("test/elbo", "test/nll", "test/nll_binarized")

OTHER_DATA = "different data"
OTHER_LIKELIHOODS = "different likelihoods"
OTHER_CONDITIONS = "of p(x) and of p(x given y)"
OTHER_CODES = "different numbers of codes"
NOTES = {
    OTHER_LIKELIHOODS: "as the runs have different likelihoods",
    OTHER_CONDITIONS: "as some of the variants are given the label: theirs are of p(x given y)",
    OTHER_CODES: "as they were estimated from different numbers of codes; evaluate all runs by one suite",
}


@final
@dataclass(frozen=True)
class Comparability:
    """Why metrics are not compared: {metric: reason} of some, and the reason for all others, empty for none."""

    of_some: Mapping[str, str] = field(default_factory=dict)
    of_all: str = ""

    @classmethod
    def of(cls, groups: Sequence[Group]) -> "Comparability":
        """That of the complete runs.

        A log-likelihood is compared within one kind of likelihood: the density of a grey level has no upper bound, the
        probability of a binary pixel is at most 1. p(x given y) is compared with no p(x). The estimate is compared by
        the same number of codes, as its bound tightens with them.
        """
        runs = [record for group in groups for record in group.complete]
        if len({_images(run) for run in runs}) > 1:
            return cls(of_all=OTHER_DATA)
        found = {}
        for metric in LIKELIHOODS:
            measured = [run for run in runs if run.value(metric) is not None]
            if len({_kind_of_likelihood(run) for run in measured}) > 1:
                found[metric] = OTHER_LIKELIHOODS
            elif len({run.is_conditional for run in measured}) > 1:
                found[metric] = OTHER_CONDITIONS
            elif len({run.value(f"{metric}_samples") for run in measured}) > 1:
                found[metric] = OTHER_CODES
        return cls(found)

    def why_not(self, metric: str) -> str:
        """Why the values of a metric are of different kinds; empty where they are of one."""
        return self.of_all or self.of_some.get(metric, "")

    @property
    def notes(self) -> Iterable[str]:
        """A sentence for each reason."""
        if self.of_all:
            yield (
                "The runs were measured on different data, so their metrics are not comparable: nothing is marked as "
                "best, and no leader is named"
            )
        for reason, text in NOTES.items():
            if names := [metric.removeprefix("test/") for metric, why in self.of_some.items() if why == reason]:
                yield f"Not compared: {', '.join(names)}, {text}"


def _images(run: Record) -> tuple[str | None, ...]:
    """The images, and the form in which the run saw them."""
    form = ("data._target_", "data.binarize", "data.image_size")
    return run.facts.get("data"), run.facts.get(FINGERPRINT), *(str(run.config.get(key)) for key in form)


def _kind_of_likelihood(run: Record) -> str:
    target = str(run.config.get("likelihood._target_"))
    return "density" if target in DENSITIES else target
