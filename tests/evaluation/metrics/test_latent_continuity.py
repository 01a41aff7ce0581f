"""Latent continuity of models whose metrics are known, by a classifier of the bundled digits."""

import pytest
import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation.metrics.latent_continuity import latent_continuity
from latentlab.models.codes import Codes
from tests.evaluation.metrics.test_generation import SHAPE, album

pytestmark = pytest.mark.slow  # the classifier is trained


def measured(pictures, reference_classifier, spread):
    z = spread * torch.randn(300, 1, generator=torch.Generator().manual_seed(0)) + 100
    codes = Codes(z, torch.zeros(300, dtype=torch.int64), None)
    return dict(latent_continuity(album(pictures), codes, reference_classifier))


def test_constant_pictures_have_perfect_continuity(digits, reference_classifier):
    sure = to_floats(digits.test.pixels)
    sure = sure[reference_classifier(sure).confidence.argmax()].expand(300, -1, -1, -1)
    found = measured(sure, reference_classifier, spread=20.0)
    assert found == {"perturbed_code_label_changes": 0, "perturbed_code_image_rmse": 0}


def test_a_random_order_of_the_images_has_no_continuity(digits, reference_classifier):
    found = measured(to_floats(digits.test.pixels), reference_classifier, spread=20.0)
    assert found["perturbed_code_label_changes"] > 0.7
    assert found["perturbed_code_image_rmse"] > 0.2


def test_a_perturbation_grows_with_the_spread_of_the_codes(digits, reference_classifier):
    pictures = torch.linspace(0, 1, 300).view(300, 1, 1, 1).expand(300, *SHAPE)
    small, large = (measured(pictures, reference_classifier, spread) for spread in (10.0, 30.0))
    small, large = (found["perturbed_code_image_rmse"] for found in (small, large))
    assert large == pytest.approx(3 * small, rel=0.15)


def test_the_metrics_are_the_same_for_a_seed(digits, reference_classifier):
    pictures = to_floats(digits.test.pixels)
    assert measured(pictures, reference_classifier, 20.0) == measured(pictures, reference_classifier, 20.0)
