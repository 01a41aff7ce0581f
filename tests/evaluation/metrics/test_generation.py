"""Generation metrics of models whose metrics are known, by a classifier trained on the bundled digits."""

import math
from functools import partial

import pytest
import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation.metrics.generation import RealImages, generation, reference_values
from latentlab.functional.distributions import Gaussian
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.nets.base import Decoder
from latentlab.models.nets.linear import LinearEncoder
from latentlab.models.parts import Parts

pytestmark = pytest.mark.slow  # the classifier is trained
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


def with_repetitions(count):
    """Indices below `count` in turn."""
    return lambda number, generator: (numbers(number, generator)[0] % count, torch.zeros(number, dtype=torch.int64))


def measured(digits, reference_classifier, pictures, **sources):
    real = RealImages.of(reference_classifier, to_floats(digits.test.pixels))
    known = dict(reference_values(reference_classifier, real, digits.train, digits.test.labels))
    return known | dict(generation(album(pictures), sources or {"prior": numbers}, reference_classifier, real))


def test_samples_that_are_the_test_images_have_no_distance(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.test.pixels))
    assert found["frechet_prior"] == pytest.approx(0, abs=1e-4)
    assert found["completeness"] == pytest.approx(found["reference_classifier_confident"])
    assert found["precision_prior"] == pytest.approx(found["completeness"])  # what is not clear counts as outside
    assert found["recall_prior"] == 1
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
    assert found["completeness"] < 0.1
    assert found["precision_prior"] <= found["completeness"]


@pytest.mark.parametrize("grey_level", [0.0, 0.01])
def test_a_decoder_that_paints_black_is_not_complete(digits, reference_classifier, grey_level):
    found = measured(digits, reference_classifier, torch.full((300, *SHAPE), grey_level))
    assert (found["completeness"], found["precision_prior"], found["recall_prior"]) == (0, 0, 0)


def test_copies_of_one_image_have_no_label_entropy_and_cover_nothing(digits, reference_classifier):
    sure = to_floats(digits.test.pixels)
    sure = sure[reference_classifier(sure).confidence.argmax()].unsqueeze(0)
    found = measured(digits, reference_classifier, sure)
    assert found["completeness"] == 1  # which does not see that the samples are all alike
    assert found["label_entropy_prior"] == 0
    assert found["precision_prior"] == 1
    assert found["recall_prior"] < 0.02


def test_samples_of_half_of_the_labels_lower_entropy_and_recall(digits, reference_classifier):
    half = to_floats(digits.test.pixels[digits.test.labels < 5])
    found = measured(digits, reference_classifier, half, prior=with_repetitions(len(half)))
    assert found["label_entropy_prior"] == pytest.approx(math.log(5), abs=0.1)
    assert found["precision_prior"] == pytest.approx(found["completeness"])
    assert 0.4 < found["recall_prior"] < 0.75


def test_each_source_has_its_metrics_and_label_agreement_only_conditional_models(digits, reference_classifier):
    found = measured(digits, reference_classifier, to_floats(digits.test.pixels), gaussian=numbers, mixture=numbers)
    assert {
        "frechet_gaussian",
        "frechet_mixture",
        "completeness_mixture",
        "recall_gaussian",
        "precision_train",
    } <= found.keys()
    assert "label_agreement" not in found
