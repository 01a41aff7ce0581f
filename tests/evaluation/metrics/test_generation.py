"""Generation metrics of models whose metrics are known, by a classifier trained on the bundled digits."""

from functools import partial

import pytest
import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation.metrics.generation import generation
from latentlab.functional.distributions import Gaussian
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.nets.base import Decoder
from latentlab.models.nets.linear import LinearEncoder
from latentlab.models.parts import Parts

SHAPE = (1, 8, 8)


class Album(Decoder):
    """Decodes a code of one unit, rounded, to the image of that index."""

    def __init__(self, pictures):
        super().__init__()
        self.register_buffer("pictures", pictures)

    def forward(self, z, condition=None):
        return self.pictures[z[:, 0].round().long().clamp(0, len(self.pictures) - 1)]


def album(pictures):
    parts = Parts(
        encoder=LinearEncoder(SHAPE, 1, 0),
        decoder=Album(pictures),
        likelihood=Gaussian(),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=SHAPE,
        num_classes=10,
    )
    return AE(parts=parts, latent_dim=1).eval()


def numbers(count, generator):
    """Each index once, in random order."""
    return torch.randperm(count, generator=generator).unsqueeze(1).float(), torch.zeros(count, dtype=torch.int64)


def measured(digits, reference_classifier, pictures, **sources):
    test = digits.test
    drawn = sources or {"prior": numbers}
    known = reference_classifier, digits.train, to_floats(test.pixels), test.labels
    return dict(generation(album(pictures), drawn, *known))


def test_samples_that_are_the_test_images_have_no_distance(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.test.pixels))
    assert found["frechet_prior"] == pytest.approx(0, abs=1e-4)
    assert found["sure_prior"] == pytest.approx(found["sure_test"])
    assert found["label_entropy_prior"] == pytest.approx(2.3, abs=0.02)  # log 10 for equal frequencies


def test_the_error_of_the_reference_classifier_itself_is_a_metric(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.test.pixels))
    right = reference_classifier(to_floats(digits.test.pixels)).labels == digits.test.labels
    assert found["reference_classifier_error"] == pytest.approx(1 - float(right.double().mean()))


def test_samples_that_are_training_images_have_the_distance_of_training_images(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.train.pixels)[-300:])
    assert found["frechet_prior"] == pytest.approx(found["frechet_train"], rel=1)


def test_noise_has_a_large_distance_and_no_confident_label(digits, reference_classifier):
    found = measured(digits, reference_classifier, torch.rand(300, *SHAPE, generator=torch.Generator().manual_seed(0)))
    assert found["frechet_prior"] > 20 * found["frechet_train"]
    assert found["sure_prior"] < 0.1


def test_copies_of_one_image_have_no_label_entropy(digits, reference_classifier):
    assert measured(digits, reference_classifier, to_floats(digits.test.pixels)[:1])["label_entropy_prior"] == 0


def test_each_source_has_its_metrics_and_label_agreement_only_conditional_models(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.test.pixels), gaussian=numbers, mixture=numbers)
    assert {"frechet_gaussian", "frechet_mixture", "sure_mixture"} <= found.keys()
    assert "label_agreement" not in found
