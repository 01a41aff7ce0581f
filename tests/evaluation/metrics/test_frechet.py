"""The Fréchet distance, against closed forms."""

import pytest
import torch

from latentlab.evaluation.metrics.frechet import frechet_distance


def rows(mean, deviation, count=4_000, seed=0):
    """Normal rows with exactly these means and standard deviations, uncorrelated to rounding."""
    x = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = x - x.mean(0)
    white = x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    return white * torch.tensor(deviation, dtype=torch.float64) + torch.tensor(mean, dtype=torch.float64)


def test_diagonal_gaussians_have_the_closed_form():
    a, b = rows([0.0, 1.0, 2.0], [1.0, 2.0, 0.5]), rows([1.0, 1.0, 0.0], [2.0, 2.0, 0.1], seed=1)
    assert frechet_distance(a, b) == pytest.approx(1 + 0 + 4 + 1 + 0 + 0.16, rel=1e-6)


def test_equal_sets_have_no_distance_and_it_is_symmetric():
    a, b = rows([0.0, 1.0], [1.0, 3.0]), rows([0.5, 1.0], [2.0, 1.0], seed=2)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_a_constant_feature_gives_a_finite_distance():
    a = torch.cat((rows([0.0, 1.0], [1.0, 2.0]), torch.zeros(4_000, 1, dtype=torch.float64)), 1)
    assert frechet_distance(a, a + 1) == pytest.approx(3, abs=1e-5)


def test_the_distance_is_invariant_to_rotations():
    a, b = rows([0.0, 1.0, 2.0], [1.0, 2.0, 0.5]), rows([1.0, 1.0, 0.0], [2.0, 2.0, 0.1], seed=1)
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(frechet_distance(a, b), rel=1e-6)
