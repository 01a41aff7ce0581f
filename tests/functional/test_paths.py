"""Paths between two codes."""

import math

import torch

from latentlab.functional.paths import linear, spherical

FRACTION = torch.linspace(0, 1, 5).unsqueeze(1)


def test_a_linear_path_is_even():
    path = linear(torch.tensor([0.0, 4.0]), torch.tensor([4.0, 0.0]), FRACTION)
    torch.testing.assert_close(path, torch.tensor([[0.0, 4], [1, 3], [2, 2], [3, 1], [4, 0]]))


def test_a_spherical_path_between_unit_codes_goes_round_the_circle_at_even_angles():
    path = spherical(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), FRACTION)
    angle = FRACTION.squeeze(1) * math.pi / 2
    torch.testing.assert_close(path, torch.stack((angle.cos(), angle.sin()), 1))


def test_a_spherical_path_between_parallel_codes_is_linear():
    one = torch.tensor([1.0, 2.0])
    torch.testing.assert_close(spherical(one, 3 * one, FRACTION), linear(one, 3 * one, FRACTION))
