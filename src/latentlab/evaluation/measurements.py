"""The table of measurements: the metrics of each, and what it requires of the evaluated model and its data."""

from collections.abc import Callable, Iterator
from functools import partial

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.compression import compression
from latentlab.evaluation.metrics.few_labels import few_labels
from latentlab.evaluation.metrics.generalization import generalization
from latentlab.evaluation.metrics.generation import generation
from latentlab.evaluation.metrics.label_spreading import label_spreading
from latentlab.evaluation.metrics.latent_continuity import latent_continuity
from latentlab.evaluation.metrics.likelihood import likelihood
from latentlab.evaluation.metrics.out_of_distribution import out_of_distribution
from latentlab.evaluation.metrics.probes import probes
from latentlab.evaluation.metrics.rate import rate
from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.evaluation.subject import Subject

Metrics = Iterator[tuple[str, float]]
Measurement = Callable[[Subject], Metrics]  # may raise NotApplicable


FEWEST = 10  # images of training, and of the test, from which something can be learnt about a class


def requiring_labels(measurement: Measurement) -> Measurement:
    """The measurement, which is skipped where the data has no labels, or too few images to learn them from."""

    def checked(subject: Subject) -> Metrics:
        if subject.data.num_classes == 0:
            raise NotApplicable("the data has no labels")
        train, test = len(subject.data.train.labels), len(subject.data.test.labels)
        if test < FEWEST or train < max(FEWEST, subject.data.num_classes):
            raise NotApplicable(f"{train} training and {test} test images are too few for it")
        return measurement(subject)

    return checked


def _nll_name(subject: Subject) -> str:
    is_discrete = subject.data.binarize is not None and subject.model.likelihood.discrete
    return "nll_binarized" if is_discrete else "nll"


def _active_above(subject: Subject) -> float:
    """The threshold of the sparsity that the variant itself measures, else 0."""
    own = (m.keywords for m in subject.model.measurements if isinstance(m, partial) and m.func is sparsity)
    return next(own, {"active_above": 0.0})["active_above"]


def _few_labels_of_codes(subject: Subject) -> Metrics:
    if subject.model.conditional:
        raise NotApplicable("its encoder is conditioned on the label of every image")
    yield from few_labels(subject.train_codes, subject.test_codes)
    yield from label_spreading(subject.train_codes, subject.test_codes)


def _few_labels_of_pixels(subject: Subject) -> Metrics:
    """The same classifiers on the images themselves, and on principal components of their grey levels, as baselines."""
    train = subject.train_codes._replace(z=subject.train_x.flatten(1))
    test = subject.test_codes._replace(z=subject.test_batch.x.flatten(1))
    for name, value in few_labels(train, test):
        yield name.replace("few_labels", "few_labels_pixels"), value
    train = train._replace(z=subject.train_grey.flatten(1))
    test = test._replace(z=subject.test_grey.flatten(1))
    for name, value in label_spreading(train, test):
        yield name.replace("few_labels", "few_labels_pca"), value


QUICK: dict[str, Measurement] = {
    "rate, distortion, mutual information": lambda s: rate(s.model, s.test()),
    "log-likelihood": lambda s: likelihood(s.model, s.test(), s.samples, _nll_name(s)),
    "sparsity": lambda s: sparsity(s.model, s.test(), _active_above(s)),
    "compression": lambda s: compression(s.model, s.test(), s.train_codes, s.train_x),
    "generalization": lambda s: generalization(s.model, s.train(), s.train_codes.z, s.test_errors),
    "generation": requiring_labels(
        lambda s: generation(s.model, s.sources, s.reference_classifier, s.train_grey, s.test_grey, s.data.test.labels)
    ),
    "latent continuity and completeness": requiring_labels(
        lambda s: latent_continuity(s.model, s.test_codes, next(iter(s.sources.values())), s.reference_classifier)
    ),
    "linear, k-NN and k-means probes": requiring_labels(lambda s: probes(s.train_codes, s.test_codes)),
}
FULL: dict[str, Measurement] = {
    **QUICK,
    "few labels": requiring_labels(_few_labels_of_codes),
    "few labels, pixels": requiring_labels(_few_labels_of_pixels),
    "robustness": lambda s: iter(s.robustness.items()),
    "out-of-distribution images": lambda s: out_of_distribution(s.model, s.test(), s.test_errors),
}
