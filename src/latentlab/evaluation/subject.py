"""A trained model, the images it is evaluated on, and results that several measurements use."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.data.base import ImageDataModule
from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader, to_floats
from latentlab.data.memory_limit import LARGE, host_memory
from latentlab.evaluation import reference_classifier, reference_denoiser
from latentlab.evaluation.measured_once import measured_once
from latentlab.evaluation.metrics import few_labels, label_spreading, logistic, probes
from latentlab.evaluation.metrics.aggregate_posterior import mutual_information, posteriors
from latentlab.evaluation.metrics.generation import RealImages
from latentlab.evaluation.metrics.rate import rate
from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from latentlab.evaluation.metrics.robustness import robustness
from latentlab.evaluation.metrics.samplers import Sampler, samplers
from latentlab.evaluation.metrics.trained_sparsity import codes_of_trained_sparsity
from latentlab.evaluation.reference_classifier import ReferenceClassifier
from latentlab.evaluation.reference_denoiser import ReferenceDenoiser
from latentlab.evaluation.trained_once import digest
from latentlab.figures.caption import caption
from latentlab.functional.batch import Batch, whole
from latentlab.functional.corruption import Corruption
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes, collect_codes

BASELINE_CODE = tuple(str(module.__file__) for module in (few_labels, label_spreading, logistic, probes))

log = logging.getLogger(__name__)


@final
@dataclass(eq=False)
class Subject:
    """The model and data to evaluate; codes, samplers and the reference classifier are computed at first use.

    Args:
        model: in evaluation mode, on the device to evaluate on.
        data: loaded, without a trainer.
        name: of the run, for the captions of pictures.
        weights: which of the run's weights the model has, best or last.
        samples: codes per image that the log-likelihood is estimated from.
        references: the folder below which the reference networks and the baselines of the data are kept.
    """

    model: Autoencoder
    data: ImageDataModule
    name: str
    weights: str
    samples: int
    references: Path

    def test(self) -> ResidentLoader:
        """The test images in order; the draws are those of the run's own test."""
        return self.data.evaluation_loader(self.data.test, "test", self.model.device)

    def train(self) -> ResidentLoader:
        """The training images in order."""
        return self.data.evaluation_loader(self.data.train, "train in order", self.model.device)

    @cached_property
    def train_codes(self) -> Codes:
        """The codes of the training images."""
        return collect_codes(self.model, self.train())

    @cached_property
    def test_codes(self) -> Codes:
        """The codes of the test images."""
        return collect_codes(self.model, self.test())

    @cached_property
    def train_codes_grey(self) -> Codes:
        """The codes of the training images' grey levels."""
        return collect_codes(self.model, _grey(self.train()))

    @cached_property
    def test_codes_grey(self) -> Codes:
        """The codes of the test images' grey levels."""
        return collect_codes(self.model, _grey(self.test()))

    @cached_property
    def rate(self) -> dict[str, float]:
        """See `latentlab.evaluation.metrics.rate`.

        Raises:
            NotApplicable: the variant has no posterior.
        """
        return dict(rate(self.model, self.test()))

    @cached_property
    def mutual_information(self) -> float:
        """See `latentlab.evaluation.metrics.aggregate_posterior`; of the test images among the training images.

        Raises:
            NotApplicable: the variant has no posterior.
        """
        return mutual_information(*(posteriors(codes) for codes in (self.test_codes, self.train_codes)))

    @cached_property
    def train_codes_of_trained_sparsity(self) -> Codes:
        """See `codes_of_trained_sparsity`, which may raise NotApplicable."""
        return codes_of_trained_sparsity(self.model, self.train())

    @cached_property
    def test_codes_of_trained_sparsity(self) -> Codes:
        return codes_of_trained_sparsity(self.model, self.test())

    @cached_property
    def train_batch(self) -> Batch:
        """The training images as the model sees them: one of every few where all as floats are too large."""
        return self._sparsely(self.train())

    @cached_property
    def train_batch_grey(self) -> Batch:
        """The same of their grey levels."""
        return self._sparsely(_grey(self.train()))

    def _sparsely(self, loader: ResidentLoader) -> Batch:
        every = _one_of(self.data.train, self.model.device)
        done, x, y = 0, [], []
        for batch in loader:
            some = slice(-done % every, None, every)
            x.append(batch.x[some])
            y.append(batch.y[some])
            done += len(batch.y)
        labels = torch.cat(y)
        if every > 1:
            used = f"{len(labels):,} of {done:,} training images"
            log.warning(
                "mse_pca, few_labels_pixels and few_labels_pca: of %s, as all of them as floats are too large", used
            )
        return Batch(torch.cat(x), labels, len(labels), batch.random)

    @cached_property
    def test_batch(self) -> Batch:
        """All test images as the model sees them."""
        return whole(self.test())

    @cached_property
    def test_errors(self) -> Float[Tensor, " n"]:
        """Squared error per pixel of each test image's reconstruction."""
        return reconstruction_errors(self.model, ((batch.x, batch.y) for batch in self.test()))

    @cached_property
    def test_grey(self) -> Float[Tensor, "n c h w"]:
        """The grey levels of the test images."""
        return to_floats(self.data.test.to(self.model.device).pixels)

    @cached_property
    def sources(self) -> dict[str, Sampler]:
        """Samplers of codes by name; the first is the variant's own."""
        return samplers(self.model, self.train_codes)

    @cached_property
    def reference_classifier(self) -> ReferenceClassifier:
        """The classifier of the training images; the data must have labels."""
        folder = self.references / "reference_classifiers"
        return reference_classifier.load_or_train(self.data.train, self.data.num_classes, folder, self.model.device)

    @cached_property
    def real_images(self) -> RealImages:
        """What samples are compared with by the reference classifier: the test images' grey levels."""
        return RealImages.of(self.reference_classifier, self.test_grey)

    def reference_denoiser(self, corruption: Corruption) -> ReferenceDenoiser:
        """The denoiser of the training images, as the model sees them, and a corruption."""
        folder = self.references / "reference_denoisers"
        return reference_denoiser.load_or_train(
            self.data.train, self.data.binarize, corruption, folder, self.model.device
        )

    @cached_property
    def robustness(self) -> dict[str, float]:
        """See `latentlab.evaluation.metrics.robustness`."""
        return dict(robustness(self.model, self.test()))

    def baseline(
        self, name: str, measure: Callable[[], Iterator[tuple[str, float]]], seen: Sequence[Tensor]
    ) -> Iterator[tuple[str, float]]:
        """Metrics of the data, whatever the model is: see `measured_once`.

        name: of their file. seen: what they depend on besides the training images and `BASELINE_CODE`.
        """
        file = self.references / "baselines" / f"{name}_{digest(self.data.train, BASELINE_CODE, seen)}.json"
        yield from measured_once("baselines of the pixels", file, measure).items()

    def caption(self, shown: str) -> str:
        """The line below a picture's title; `shown` describes its content."""
        variant = type(self.model).__name__
        return caption(variant, self.data.name, self.data.seed, self.name, f"{self.weights} weights", shown)


def _grey(loader: ResidentLoader) -> ResidentLoader:
    """The same images without their binarisation."""
    return replace(loader, binarize=None)


def _one_of(images: Images, device: torch.device) -> int:
    """Of how many images one is used, so that they take at most a quarter of the memory as floats, there and here."""
    memory = host_memory()
    if device.type == "cuda":
        memory = min(memory, torch.cuda.get_device_properties(device).total_memory)
    return math.ceil(len(images.labels) * math.prod(images.shape) * torch.float32.itemsize / (LARGE * memory))
