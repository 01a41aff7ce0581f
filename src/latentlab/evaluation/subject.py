"""A trained model, the images it is measured on, and what several measurements share."""

from functools import cached_property
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.data.base import EVALUATION_BATCH, ImageDataModule
from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader, to_floats
from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from latentlab.evaluation.metrics.robustness import robustness
from latentlab.evaluation.metrics.samplers import Sampler, samplers
from latentlab.evaluation.reference_classifier import ReferenceClassifier, load_or_train
from latentlab.figures.caption import caption
from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder
from latentlab.models.codes import Codes, collect_codes


@final
class Subject:
    """Everything is made when it is first asked for, and kept: codes, reference classifier, samplers.

    Args:
        model: in evaluation mode, on the device to measure on.
        data: loaded, without a trainer.
        name, weights: of the run, and which of its weights (best or last): for the pictures' captions.
        samples: codes an image that the likelihood is estimated by.
        classifiers: the folder in which the reference classifier is kept.
    """

    def __init__(
        self, model: Autoencoder, data: ImageDataModule, name: str, weights: str, samples: int, classifiers: Path
    ) -> None:
        self.model, self.data, self.name, self.weights = model, data, name, weights
        self.samples, self._classifiers = samples, classifiers

    def test(self) -> ResidentLoader:
        """The test images in order; the draws are those of the run's own test."""
        return self._loader(self.data.test, "test")

    def train(self) -> ResidentLoader:
        """The training images in order."""
        return self._loader(self.data.train, "train in order")

    @cached_property
    def train_codes(self) -> Codes:
        """Of the training images."""
        return collect_codes(self.model, self.train())

    @cached_property
    def test_codes(self) -> Codes:
        """Of the test images."""
        return collect_codes(self.model, self.test())

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
        """The training images' grey levels, whatever the model sees."""
        return to_floats(self._here(self.data.train).pixels)

    @cached_property
    def test_grey(self) -> Float[Tensor, "n c h w"]:
        """The test images' grey levels."""
        return to_floats(self._here(self.data.test).pixels)

    @cached_property
    def sources(self) -> dict[str, Sampler]:
        """Where codes to decode come from; the first is the variant's own."""
        return samplers(self.model, self.train_codes)

    @cached_property
    def reference_classifier(self) -> ReferenceClassifier:
        """Raises NotApplicable where the data has no labels."""
        self.require_labels()
        return load_or_train(self._here(self.data.train), self.data.num_classes, self._classifiers)

    @cached_property
    def robustness(self) -> dict[str, float]:
        """See `latentlab.evaluation.metrics.robustness`."""
        return dict(robustness(self.model, self.test()))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def require_labels(self) -> None:
        """Raise NotApplicable where the data has no labels."""
        if self.data.num_classes == 0:
            raise NotApplicable("the data has no labels")

    def caption(self, shown: str) -> str:
        """The line below a picture's title."""
        variant = type(self.model).__name__
        return caption(variant, self.data.name, self.data.seed, self.name, f"{self.weights} weights", shown)

    def _here(self, images: Images) -> Images:
        return images.to(self.device)

    def _loader(self, images: Images, stage: str) -> ResidentLoader:
        return ResidentLoader(
            self._here(images),
            batch_size=EVALUATION_BATCH,
            seed=self.data.split_seed,
            stage=stage,
            binarize=self.data.binarize,
        )
