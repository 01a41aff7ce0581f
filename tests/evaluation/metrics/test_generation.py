"""Generation, latent continuity and completeness on models with known answers, by a classifier of the digits."""

from functools import partial

import pytest
import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation.metrics.generation import generation
from latentlab.evaluation.metrics.latent_continuity import order
from latentlab.functional.distributions import Gaussian
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.codes import Codes
from latentlab.models.nets.base import Decoder
from latentlab.models.nets.linear import LinearEncoder
from latentlab.models.parts import Parts

SHAPE = (1, 8, 8)


class Album(Decoder):
    """Decodes a code of one unit to the picture whose number it is, rounded."""

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
    """Each picture once, in any order."""
    return torch.randperm(count, generator=generator).unsqueeze(1).float(), torch.zeros(count, dtype=torch.int64)


def figures(digits, reference_classifier, pictures, **sources):
    train, test = to_floats(digits.train.pixels), to_floats(digits.test.pixels)
    return dict(
        generation(
            album(pictures), sources or {"prior": numbers}, reference_classifier, train, test, digits.test.labels
        )
    )


def test_samples_that_are_the_test_images_have_no_distance(digits, reference_classifier):
    found = figures(digits, reference_classifier, to_floats(digits.test.pixels))
    assert found["frechet_prior"] == pytest.approx(0, abs=1e-4)
    assert found["sure_prior"] == pytest.approx(found["sure_test"])
    assert found["label_entropy_prior"] == pytest.approx(2.3, abs=0.02)  # log 10, if all come alike


def test_the_reference_classifiers_own_error_stands_beside(digits, reference_classifier):
    found = figures(digits, reference_classifier, to_floats(digits.test.pixels))
    right = reference_classifier(to_floats(digits.test.pixels)).labels == digits.test.labels
    assert found["reference_classifier_error"] == pytest.approx(1 - float(right.double().mean()))


def test_samples_that_are_training_images_are_as_far_as_training_images(digits, reference_classifier):
    found = figures(digits, reference_classifier, to_floats(digits.train.pixels)[-300:])
    assert found["frechet_prior"] == pytest.approx(found["frechet_train"], rel=1)


def test_noise_is_far_away_and_the_classifier_doubts_it(digits, reference_classifier):
    found = figures(digits, reference_classifier, torch.rand(300, *SHAPE, generator=torch.Generator().manual_seed(0)))
    assert found["frechet_prior"] > 20 * found["frechet_train"]
    assert found["sure_prior"] < 0.1


def test_one_picture_again_and_again_has_no_entropy(digits, reference_classifier):
    assert figures(digits, reference_classifier, to_floats(digits.test.pixels)[:1])["label_entropy_prior"] == 0


def test_each_source_has_its_figures_and_labels_only_where_they_were_asked_for(digits, reference_classifier):
    found = figures(digits, reference_classifier, to_floats(digits.test.pixels), gaussian=numbers, mixture=numbers)
    assert {"frechet_gaussian", "frechet_mixture", "sure_mixture"} <= found.keys()
    assert "label_agreement" not in found


def order_of(pictures, reference_classifier, spread):
    z = spread * torch.randn(300, 1, generator=torch.Generator().manual_seed(0)) + 100
    codes = Codes(z, torch.zeros(300, dtype=torch.int64), None)
    return dict(order(album(pictures), codes, numbers, reference_classifier))


def test_where_nothing_changes_there_is_perfect_continuity(digits, reference_classifier):
    sure = to_floats(digits.test.pixels)
    sure = sure[reference_classifier(sure).confidence.argmax()].expand(300, -1, -1, -1)
    found = order_of(sure, reference_classifier, spread=20.0)
    assert found == {"step_label_changes": 0, "step_picture_moves": 0, "completeness": 1}


def test_an_album_in_no_order_has_no_continuity(digits, reference_classifier):
    found = order_of(to_floats(digits.test.pixels), reference_classifier, spread=20.0)
    assert found["step_label_changes"] > 0.7
    assert found["step_picture_moves"] > 0.2


def test_a_step_grows_with_the_spread_of_the_codes(digits, reference_classifier):
    pictures = torch.linspace(0, 1, 300).view(300, 1, 1, 1).expand(300, *SHAPE)
    small, large = (order_of(pictures, reference_classifier, spread)["step_picture_moves"] for spread in (10.0, 30.0))
    assert large == pytest.approx(3 * small, rel=0.15)


def test_the_figures_are_the_same_for_a_seed(digits, reference_classifier):
    pictures = to_floats(digits.test.pixels)
    assert order_of(pictures, reference_classifier, 20.0) == order_of(pictures, reference_classifier, 20.0)
