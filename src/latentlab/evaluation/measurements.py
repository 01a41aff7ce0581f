"""What is measured: each measurement with what it needs of the subject."""

from collections.abc import Callable, Iterator
from functools import partial

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.compression import compression
from latentlab.evaluation.metrics.few_labels import few_labels
from latentlab.evaluation.metrics.foreign_images import data_specific
from latentlab.evaluation.metrics.generalization import generalization
from latentlab.evaluation.metrics.generation import generation
from latentlab.evaluation.metrics.latent_continuity import order
from latentlab.evaluation.metrics.likelihood import likelihood
from latentlab.evaluation.metrics.probes import probes
from latentlab.evaluation.metrics.rate import rate
from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.evaluation.subject import Subject

Figures = Iterator[tuple[str, float]]
Measure = Callable[[Subject], Figures]


def _rate(subject: Subject) -> Figures:
    return rate(subject.model, subject.test())


def _likelihood(subject: Subject) -> Figures:
    discrete = subject.data.binarize is not None and subject.model.likelihood.discrete
    name = "nll_binarized" if discrete else "nll"
    return likelihood(subject.model, subject.test(), subject.samples, name)


def _probes(subject: Subject) -> Figures:
    subject.require_labels()
    return probes(subject.train_codes, subject.test_codes)


def _few_labels(subject: Subject) -> Figures:
    subject.require_labels()
    if subject.model.conditional:
        raise NotApplicable("its encoder is told the label of every image")
    return few_labels(subject.train_codes, subject.test_codes)


def _few_labels_of_pixels(subject: Subject) -> Figures:
    """What the images themselves are worth to the same classifier."""
    subject.require_labels()
    train = subject.train_codes._replace(z=subject.train_x.flatten(1))
    test = subject.test_codes._replace(z=subject.test_batch.x.flatten(1))
    for name, value in few_labels(train, test):
        yield name.replace("few_labels", "few_labels_pixels"), value


def _sparsity(subject: Subject) -> Figures:
    """By the variant's own threshold of activity, or else above 0."""
    own = [measure for measure in subject.model.measurements if getattr(measure, "func", None) is sparsity]
    measure = own[0] if own else partial(sparsity, active_above=0.0)
    return measure(subject.model, subject.test())


def _generalization(subject: Subject) -> Figures:
    return generalization(subject.model, subject.train(), subject.train_codes.z, subject.test_errors)


def _generation(subject: Subject) -> Figures:
    labels = subject.data.test.labels
    return generation(
        subject.model, subject.sources, subject.reference_classifier, subject.train_grey, subject.test_grey, labels
    )


def _order(subject: Subject) -> Figures:
    own = next(iter(subject.sources.values()))
    return order(subject.model, subject.test_codes, own, subject.reference_classifier)


def _robustness(subject: Subject) -> Figures:
    return iter(subject.robustness.items())


def _data_specific(subject: Subject) -> Figures:
    return data_specific(subject.model, subject.test(), subject.test_errors)


def _compression(subject: Subject) -> Figures:
    return compression(subject.model, subject.test(), subject.train_codes, subject.train_x)


QUICK: dict[str, Measure] = {
    "rate": _rate,
    "likelihood": _likelihood,
    "sparsity": _sparsity,
    "compression": _compression,
    "generalization": _generalization,
    "generation": _generation,
    "order": _order,
    "probes": _probes,
}
FULL: dict[str, Measure] = {
    **QUICK,
    "few labels": _few_labels,
    "few labels, pixels": _few_labels_of_pixels,
    "robustness": _robustness,
    "data-specific": _data_specific,
}
