"""Out-of-distribution detection, on models whose errors are known."""

import pytest
import torch

from latentlab.evaluation.metrics.out_of_distribution import (
    TRANSFORMATIONS,
    inverted,
    out_of_distribution,
    rotated,
    shuffled,
)
from tests.evaluation.metrics.test_generalization import errors
from tests.evaluation.metrics.test_robustness import images
from tests.evaluation.metrics.test_sparsity import batches_of, pixel_model


def test_the_transformations_permute_or_invert_the_pixels():
    x = torch.arange(8.0).view(2, 1, 2, 2) / 8
    assert torch.equal(inverted(inverted(x)), x)
    assert torch.equal(rotated(rotated(rotated(rotated(x)))), x)
    assert not torch.equal(rotated(x), x)
    wide = torch.arange(6.0).view(1, 1, 2, 3)
    assert rotated(wide).shape == wide.shape
    order = shuffled(torch.arange(64.0).view(1, 1, 8, 8)).flatten()
    assert order.sort().values.tolist() == list(range(64))
    assert order.tolist() != list(range(64))


def test_the_identity_detects_no_transformed_image():
    exact, x = pixel_model(), images(200)
    found = dict(out_of_distribution(exact, batches_of(x, 100), errors(exact, x)))
    for kind in TRANSFORMATIONS:
        assert found[f"mse_{kind}"] == pytest.approx(0, abs=1e-9)
        assert found[f"auroc_{kind}"] == pytest.approx(0.5)


def test_a_model_of_dark_images_detects_inverted_ones_by_their_error():
    dark = images(200) * 0.2
    always_dark = pixel_model(decoder_weight=0.0, decoder_bias=0.1)
    found = dict(out_of_distribution(always_dark, batches_of(dark, 100), errors(always_dark, dark)))
    assert found["auroc_inverted"] == 1
    assert found["mse_inverted"] > 0.3
    assert found["auroc_shuffled"] == pytest.approx(0.5, abs=0.01)
