"""The table of measurements: the metrics of each, and what it requires of the evaluated model and its data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, final

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.compression import compression
from latentlab.evaluation.metrics.few_labels import few_labels
from latentlab.evaluation.metrics.foreign_images import foreign_images
from latentlab.evaluation.metrics.generalization import generalization
from latentlab.evaluation.metrics.generation import generation
from latentlab.evaluation.metrics.latent_continuity import latent_continuity
from latentlab.evaluation.metrics.likelihood import likelihood
from latentlab.evaluation.metrics.probes import probes
from latentlab.evaluation.metrics.rate import rate
from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.evaluation.subject import Subject

Metrics = Iterator[tuple[str, float]]


class Requirement(NamedTuple):
    """A condition on the subject, and the reason for which a measurement is skipped where it does not hold."""

    holds: Callable[[Subject], bool]
    reason: str


@final
@dataclass(frozen=True)
class Measurement:
    """Metrics as (name, value), and what they require."""

    metrics: Callable[[Subject], Metrics]
    requires: tuple[Requirement, ...] = ()

    def __call__(self, subject: Subject) -> Metrics:
        """The metrics of the subject.

        Raises:
            NotApplicable: a requirement does not hold, or the metrics have a condition of their own.
        """
        for requirement in self.requires:
            if not requirement.holds(subject):
                raise NotApplicable(requirement.reason)
        return self.metrics(subject)


def _nll_name(subject: Subject) -> str:
    is_discrete = subject.data.binarize is not None and subject.model.likelihood.discrete
    return "nll_binarized" if is_discrete else "nll"


def _active_above(subject: Subject) -> float:
    """The threshold of the sparsity that the variant itself measures, else 0."""
    own = (m.keywords for m in subject.model.measurements if isinstance(m, partial) and m.func is sparsity)
    return next(own, {"active_above": 0.0})["active_above"]


def _few_labels_of_pixels(subject: Subject) -> Metrics:
    """The same classifier on the images themselves, as a baseline."""
    train = subject.train_codes._replace(z=subject.train_x.flatten(1))
    test = subject.test_codes._replace(z=subject.test_batch.x.flatten(1))
    for name, value in few_labels(train, test):
        yield name.replace("few_labels", "few_labels_pixels"), value


LABELS = Requirement(lambda s: s.data.num_classes > 0, "the data has no labels")
UNCONDITIONAL = Requirement(lambda s: not s.model.conditional, "its encoder is conditioned on the label of every image")

QUICK = {
    "rate, distortion, mutual information": Measurement(lambda s: rate(s.model, s.test())),
    "log-likelihood": Measurement(lambda s: likelihood(s.model, s.test(), s.samples, _nll_name(s))),
    "sparsity": Measurement(lambda s: sparsity(s.model, s.test(), _active_above(s))),
    "compression": Measurement(lambda s: compression(s.model, s.test(), s.train_codes, s.train_x)),
    "generalization": Measurement(lambda s: generalization(s.model, s.train(), s.train_codes.z, s.test_errors)),
    "generation": Measurement(
        lambda s: generation(s.model, s.sources, s.reference_classifier, s.train_grey, s.test_grey, s.data.test.labels),
        requires=(LABELS,),
    ),
    "latent continuity and completeness": Measurement(
        lambda s: latent_continuity(s.model, s.test_codes, next(iter(s.sources.values())), s.reference_classifier),
        requires=(LABELS,),
    ),
    "linear, k-NN and k-means probes": Measurement(lambda s: probes(s.train_codes, s.test_codes), requires=(LABELS,)),
}
FULL = {
    **QUICK,
    "few labels": Measurement(lambda s: few_labels(s.train_codes, s.test_codes), requires=(LABELS, UNCONDITIONAL)),
    "few labels, pixels": Measurement(_few_labels_of_pixels, requires=(LABELS,)),
    "robustness": Measurement(lambda s: iter(s.robustness.items())),
    "foreign images": Measurement(lambda s: foreign_images(s.model, s.test(), s.test_errors)),
}
