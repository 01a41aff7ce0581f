"""The table of measurements: the metrics of each, and what it requires of the evaluated model and its data."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from latentlab.evaluation.metrics.aggregate_posterior import marginal_kl
from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.compression import compression
from latentlab.evaluation.metrics.denoising_ceiling import denoising_ceiling
from latentlab.evaluation.metrics.few_labels import few_labels
from latentlab.evaluation.metrics.generalization import generalization
from latentlab.evaluation.metrics.generation import generation, reference_values
from latentlab.evaluation.metrics.label_spreading import label_spreading
from latentlab.evaluation.metrics.latent_continuity import latent_continuity
from latentlab.evaluation.metrics.likelihood import likelihood
from latentlab.evaluation.metrics.out_of_distribution import out_of_distribution
from latentlab.evaluation.metrics.probes import probes
from latentlab.evaluation.metrics.restoration import restoration
from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.evaluation.metrics.trained_sparsity import error_of_trained_sparsity, probe_of_trained_sparsity
from latentlab.evaluation.subject import Subject
from latentlab.functional.batch import Batch
from latentlab.functional.losses import mse_per_image
from latentlab.models.codes import Codes

Metrics = Iterator[tuple[str, float]]
Measurement = Callable[[Subject], Metrics]  # may raise NotApplicable


FEWEST = 10  # images of training, and of the test, from which labels can be learnt


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


def of_unlabelled_codes(measurement: Measurement) -> Measurement:
    """The measurement of labels by the codes, which is skipped where the encoder is given them."""

    def checked(subject: Subject) -> Metrics:
        if subject.model.conditional:
            raise NotApplicable("its encoder is conditioned on the label of every image")
        return measurement(subject)

    return requiring_labels(checked)


def _nll_name(subject: Subject) -> str:
    is_discrete = subject.data.binarize is not None and subject.model.likelihood.discrete
    return "nll_binarized" if is_discrete else "nll"


def _active_above(subject: Subject) -> float:
    """The threshold of the sparsity that the variant itself measures, else 0."""
    return _options_of(sparsity, subject).get("active_above", 0.0)


def _options_of(measured: Callable[..., Metrics], subject: Subject) -> dict[str, Any]:
    """Those with which the variant itself is measured at each validation; none where it is not."""
    own = (m.keywords for m in subject.model.measurements if isinstance(m, partial) and m.func is measured)
    return next(own, {})


def _denoising_ceiling(subject: Subject) -> Metrics:
    options = _options_of(restoration, subject)
    if not options:
        raise NotApplicable("it is not trained to undo a corruption")
    corruption = options["corruption"]
    return denoising_ceiling(subject.reference_denoiser(corruption), subject.test(), corruption)


def _few_labels_of_codes(subject: Subject) -> Metrics:
    yield from few_labels(subject.train_codes, subject.test_codes)
    yield from label_spreading(subject.train_codes, subject.test_codes)


def _few_labels_of_pixels(subject: Subject) -> Metrics:
    """The same classifiers on the images themselves, and on principal components of their grey levels, as baselines."""
    train, test, test_grey = subject.train_batch, subject.test_batch, subject.test_grey

    def measure() -> Metrics:
        yield from _of_pixels(train, test.x, test.y)
        grey = subject.train_batch_grey
        for name, value in label_spreading(Codes(grey.x.flatten(1), grey.y), Codes(test_grey.flatten(1), test.y)):
            yield name.replace("few_labels", "few_labels_pca"), value

    return subject.baseline("few_labels_pixels", measure, (train.x, test.x, test_grey, test.y))


def _few_labels_of_grey_pixels(subject: Subject) -> Metrics:
    train, test, y = subject.train_batch_grey, subject.test_grey, subject.test_batch.y
    return subject.baseline("few_labels_grey", lambda: _of_pixels(train, test, y), (train.x, test, y))


def _of_pixels(train: Batch, test: Float[Tensor, "m c h w"], test_labels: Int[Tensor, " m"]) -> Metrics:
    for name, value in few_labels(Codes(train.x.flatten(1), train.y), Codes(test.flatten(1), test_labels)):
        yield name.replace("few_labels", "few_labels_pixels"), value


def of_grey_levels(measurement: Measurement) -> Measurement:
    """The measurement with `_grey` after its names; skipped where the model sees grey levels anyway."""

    def checked(subject: Subject) -> Metrics:
        if subject.data.binarize is None:
            raise NotApplicable("its images are not binarised")
        return ((f"{name}_grey", value) for name, value in measurement(subject))

    return checked


def _mse_of_grey_levels(subject: Subject) -> Metrics:
    z, y = subject.test_codes_grey.z, subject.test_codes_grey.y
    yield "mse", float(mse_per_image(subject.test_grey, generate(subject.model, z, y)).double().mean())


def _few_labels_of_grey_codes(subject: Subject) -> Metrics:
    return few_labels(subject.train_codes_grey, subject.test_codes_grey)


def _aggregate_posterior(subject: Subject) -> Metrics:
    yield "mutual_information", subject.mutual_information


def _marginal_kl(subject: Subject) -> Metrics:
    yield "marginal_kl", marginal_kl(subject.rate["rate"], subject.mutual_information, len(subject.train_codes.y))


QUICK: dict[str, Measurement] = {
    "rate and distortion": lambda s: iter(s.rate.items()),
    "mutual information": _aggregate_posterior,
    "KL of the aggregate posterior to the prior": _marginal_kl,
    "log-likelihood": lambda s: likelihood(s.model, s.test(), s.samples, _nll_name(s)),
    "sparsity": lambda s: sparsity(s.model, s.test(), _active_above(s)),
    "compression": lambda s: compression(s.model, s.test(), s.train_codes, s.train_batch.x),
    "generalization": lambda s: generalization(s.model, s.train(), s.train_codes.z, s.test_errors),
    "error on grey levels": of_grey_levels(_mse_of_grey_levels),
    "error at the trained sparsity": lambda s: error_of_trained_sparsity(
        s.model, s.test(), s.test_codes_of_trained_sparsity
    ),
    "reference classifier": requiring_labels(  # so that its training counts as a step of its own
        lambda s: reference_values(s.reference_classifier, s.real_images, s.data.train, s.data.test.labels)
    ),
    "generation and completeness": requiring_labels(
        lambda s: generation(s.model, s.sources, s.reference_classifier, s.real_images)
    ),
    "latent continuity": requiring_labels(lambda s: latent_continuity(s.model, s.test_codes, s.reference_classifier)),
    "linear, k-NN and k-means probes": of_unlabelled_codes(lambda s: probes(s.train_codes, s.test_codes)),
    "probes of grey levels": of_unlabelled_codes(
        of_grey_levels(lambda s: probes(s.train_codes_grey, s.test_codes_grey))
    ),
    "linear probe at the trained sparsity": of_unlabelled_codes(
        lambda s: probe_of_trained_sparsity(s.train_codes_of_trained_sparsity, s.test_codes_of_trained_sparsity)
    ),
}
FULL: dict[str, Measurement] = {
    **QUICK,
    "few labels": of_unlabelled_codes(_few_labels_of_codes),
    "few labels, pixels": requiring_labels(_few_labels_of_pixels),
    "few labels, grey levels": of_unlabelled_codes(of_grey_levels(_few_labels_of_grey_codes)),
    "few labels, pixels of grey levels": requiring_labels(of_grey_levels(_few_labels_of_grey_pixels)),
    "robustness": lambda s: iter(s.robustness.items()),
    "denoising ceiling": _denoising_ceiling,
    "out-of-distribution images": lambda s: out_of_distribution(s.model, s.test(), s.test_errors),
}
