"""A trained model, the images it is evaluated on, and results that several measurements use."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.data.base import ImageDataModule
from latentlab.data.loader import ResidentLoader, to_floats
from latentlab.evaluation.metrics.aggregate_posterior import mutual_information, posteriors
from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from latentlab.evaluation.metrics.robustness import robustness
from latentlab.evaluation.metrics.samplers import Sampler, samplers
from latentlab.evaluation.metrics.trained_sparsity import codes_of_trained_sparsity
from latentlab.evaluation.reference_classifier import ReferenceClassifier, load_or_train
from latentlab.figures.caption import caption
from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes, collect_codes


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
        classifiers: the folder of the reference classifiers.
    """

    model: Autoencoder
    data: ImageDataModule
    name: str
    weights: str
    samples: int
    classifiers: Path

    def test(self) -> ResidentLoader:
        """The test images in order; the draws are those of the run's own test."""
        return self.data.evaluation_loader(self.data.test.to(self.model.device), "test")

    def train(self) -> ResidentLoader:
        """The training images in order."""
        return self.data.evaluation_loader(self.data.train.to(self.model.device), "train in order")

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
        return collect_codes(self.model, replace(self.train(), binarize=None))

    @cached_property
    def test_codes_grey(self) -> Codes:
        """The codes of the test images' grey levels."""
        return collect_codes(self.model, replace(self.test(), binarize=None))

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
    def train_x(self) -> Float[Tensor, "n c h w"]:
        """The training images as the model sees them."""
        if self.data.binarize is None:
            return self.train_grey
        return torch.cat([batch.x for batch in self.train()])

    @cached_property
    def test_batch(self) -> Batch:
        """All test images as the model sees them."""
        batches = list(self.test())
        x, y = torch.cat([batch.x for batch in batches]), torch.cat([batch.y for batch in batches])
        return Batch(x, y, len(y), batches[0].random)

    @cached_property
    def test_errors(self) -> Float[Tensor, " n"]:
        """Squared error per pixel of each test image's reconstruction."""
        return reconstruction_errors(self.model, ((batch.x, batch.y) for batch in self.test()))

    @cached_property
    def train_grey(self) -> Float[Tensor, "n c h w"]:
        """The grey levels of the training images, also where the model sees binarised ones."""
        return to_floats(self.data.train.to(self.model.device).pixels)

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
        return load_or_train(self.data.train.to(self.model.device), self.data.num_classes, self.classifiers)

    @cached_property
    def robustness(self) -> dict[str, float]:
        """See `latentlab.evaluation.metrics.robustness`."""
        return dict(robustness(self.model, self.test()))

    def caption(self, shown: str) -> str:
        """The line below a picture's title; `shown` describes its content."""
        variant = type(self.model).__name__
        return caption(variant, self.data.name, self.data.seed, self.name, f"{self.weights} weights", shown)
