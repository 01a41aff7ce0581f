"""Robustness and data-specificity, on models whose answer is known."""

import pytest
import torch

from latentlab.evaluation.metrics.foreign_images import FOREIGN, data_specific, inverted, rotated, shuffled
from latentlab.evaluation.metrics.robustness import DAMAGE, robustness
from tests.evaluation.metrics.test_generalization import errors
from tests.evaluation.metrics.test_sparsity import batches_of, pixel_model

SHAPE = (1, 2, 2)


def images(count=3_000):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0)).clamp(0.2, 0.8)


@pytest.fixture(scope="module")
def of_the_identity():
    return dict(robustness(pixel_model(), batches_of(images(), 1_000)))


def test_the_identity_leaves_the_noise_as_it_is(of_the_identity):
    for sigma in DAMAGE["gaussian"]:
        assert of_the_identity[f"mse_gaussian_{sigma:g}"] == pytest.approx(sigma**2, rel=0.1)


def test_a_mask_costs_its_share_of_the_squares(of_the_identity):
    squares = float(images().square().mean())
    for p in DAMAGE["masking"]:
        assert of_the_identity[f"mse_masking_{p:g}"] == pytest.approx(p * squares, rel=0.15)


def test_each_kind_and_strength_has_three_figures_and_stronger_is_worse(of_the_identity):
    assert len(of_the_identity) == 3 * sum(len(strengths) for strengths in DAMAGE.values())
    for kind, strengths in DAMAGE.items():
        errors = [of_the_identity[f"mse_{kind}_{strength:g}"] for strength in strengths]
        ratios = [of_the_identity[f"psnr_{kind}_{strength:g}"] for strength in strengths]
        assert errors == sorted(errors)
        assert ratios == sorted(ratios, reverse=True)


def test_the_noise_is_the_same_whenever_it_is_measured(of_the_identity):
    assert dict(robustness(pixel_model(), batches_of(images(), 1_000))) == of_the_identity


def test_what_makes_images_foreign():
    x = torch.arange(8.0).view(2, 1, 2, 2) / 8
    assert torch.equal(inverted(inverted(x)), x)
    assert torch.equal(rotated(rotated(rotated(rotated(x)))), x)
    assert not torch.equal(rotated(x), x)
    wide = torch.arange(6.0).view(1, 1, 2, 3)
    assert rotated(wide).shape == wide.shape
    order = shuffled(torch.arange(64.0).view(1, 1, 8, 8)).flatten()
    assert order.sort().values.tolist() == list(range(64))
    assert order.tolist() != list(range(64))


def test_a_model_that_restores_everything_knows_no_foreign_image():
    exact, x = pixel_model(), images(200)
    found = dict(data_specific(exact, batches_of(x, 100), errors(exact, x)))
    for kind in FOREIGN:
        assert found[f"mse_{kind}"] == pytest.approx(0, abs=1e-9)
        assert found[f"auroc_{kind}"] == pytest.approx(0.5)


def test_a_model_of_dark_images_tells_inverted_ones_by_their_error():
    dark = images(200) * 0.2
    always_dark = pixel_model(decoder_weight=0.0, decoder_bias=0.1)
    found = dict(data_specific(always_dark, batches_of(dark, 100), errors(always_dark, dark)))
    assert found["auroc_inverted"] == 1
    assert found["mse_inverted"] > 0.3
    assert found["auroc_shuffled"] == pytest.approx(0.5, abs=0.01)
