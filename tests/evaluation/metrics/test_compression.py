"""Compression, against closed forms."""

import pytest
import torch

from latentlab.evaluation.metrics.compression import compression, pca_error, quantized
from latentlab.models.codes import collect_codes
from tests.models.variants import batch, build


def test_a_unit_is_rounded_to_the_nearest_level_and_clamped():
    low, high = torch.tensor([0.0, -1.0]), torch.tensor([3.0, 1.0])
    z = torch.tensor([[0.4, -0.6], [1.6, 0.1], [9.0, -9.0]])
    expected = torch.tensor([[0.0, -1 + 2 / 3], [2.0, 1 / 3], [3.0, -1.0]])
    torch.testing.assert_close(quantized(z, low, high, levels=4), expected)


def test_a_constant_unit_keeps_its_value():
    constant = torch.full((2,), 0.7)
    torch.testing.assert_close(quantized(torch.full((3, 2), 0.7), constant, constant), torch.full((3, 2), 0.7))


def test_the_error_of_pca_is_the_variance_of_the_omitted_components():
    x = torch.randn(3_000, 1, 3, 3, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 10).view(1, 1, 3, 3)
    variances = torch.linalg.eigvalsh(torch.cov(x.flatten(1).T, correction=0)).flip(0)
    for size in (1, 4, 8):
        assert pca_error(x, x, size) == pytest.approx(float(variances[size:].sum() / 9), rel=1e-3)


def test_images_of_few_dimensions_are_restored():
    x = (torch.rand(100, 2) @ torch.rand(2, 64)).view(100, 1, 8, 8)
    assert pca_error(x[:80], x[80:], 2) == pytest.approx(0, abs=1e-9)


def test_the_metrics_of_a_model():
    model = build("vae").eval()
    found = dict(compression(model, [batch(40)], collect_codes(model, [batch(40)]), batch(40).x))
    with torch.no_grad():
        error = float((batch(40).x - model.reconstruct(batch(40).x, batch(40).y)).square().mean())
    assert found["code_size"] == 4
    assert found["code_bits"] == 32
    assert found["mse_quantized"] == pytest.approx(error, rel=1e-3)
    assert found["mse_pca"] < error  # of random weights


def test_a_code_of_the_size_of_the_image_is_not_compared_with_pca():
    model = build("ae").eval()
    small = batch(40)._replace(x=batch(40).x[..., :2, :2])
    codes = collect_codes(model, [batch(40)])
    assert "mse_pca" not in dict(compression(model, [batch(40)], codes, small.x))
