"""Robustness of the identity, whose error is that of the noise."""

import pytest
import torch

from latentlab.evaluation.metrics.robustness import CORRUPTIONS, robustness
from tests.evaluation.metrics.test_sparsity import batches_of, pixel_model

SHAPE = (1, 2, 2)


def images(count=3_000):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0)).clamp(0.2, 0.8)


@pytest.fixture(scope="module")
def of_the_identity():
    return dict(robustness(pixel_model(), batches_of(images(), 1_000)))


def test_the_error_of_the_identity_is_the_variance_of_the_noise(of_the_identity):
    for sigma in CORRUPTIONS["gaussian"]:
        assert of_the_identity[f"mse_gaussian_{sigma:g}"] == pytest.approx(sigma**2, rel=0.1)


def test_the_error_of_a_mask_is_its_fraction_of_the_squares(of_the_identity):
    squares = float(images().square().mean())
    for p in CORRUPTIONS["masking"]:
        assert of_the_identity[f"mse_masking_{p:g}"] == pytest.approx(p * squares, rel=0.15)


def test_each_kind_and_strength_has_three_metrics_and_stronger_is_worse(of_the_identity):
    assert len(of_the_identity) == 3 * sum(len(strengths) for strengths in CORRUPTIONS.values())
    for kind, strengths in CORRUPTIONS.items():
        errors = [of_the_identity[f"mse_{kind}_{strength:g}"] for strength in strengths]
        ratios = [of_the_identity[f"psnr_mean_{kind}_{strength:g}"] for strength in strengths]
        assert errors == sorted(errors)
        assert ratios == sorted(ratios, reverse=True)


def test_the_noise_is_the_same_whenever_it_is_measured(of_the_identity):
    assert dict(robustness(pixel_model(), batches_of(images(), 1_000))) == of_the_identity
