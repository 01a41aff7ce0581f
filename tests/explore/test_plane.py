"""The plane through the latent space: places, codes and density."""

import pytest
import torch

from latentlab.explore.plane import Density, bounds, cells, grid, nearest, principal_plane_of, unit_plane

Z = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 0.5, 2.0, 1.0, 0.1]) + 1


@pytest.mark.parametrize("plane", [unit_plane(5, (3, 1)), principal_plane_of(Z), unit_plane(5, (2,))])
def test_a_place_is_that_of_its_code_and_the_chosen_code_keeps_its_own(plane):
    places = torch.tensor([[0.3, -0.7], [2.0, 1.0]])[:, : plane.axes.shape[1]]
    codes = plane.codes(places, through=Z[0])
    torch.testing.assert_close(plane.places(codes), places, atol=1e-5, rtol=1e-5)
    own = plane.codes(plane.places(Z[:1]), through=Z[0])
    torch.testing.assert_close(own[0], Z[0], atol=1e-5, rtol=1e-5)


def test_on_a_plane_of_two_units_the_others_stay():
    found = unit_plane(5, (3, 1)).codes(torch.tensor([[7.0, -7.0]]), through=Z[0])[0]
    assert found[[3, 1]].tolist() == pytest.approx([7, -7], abs=1e-5)
    torch.testing.assert_close(found[[0, 2, 4]], Z[0, [0, 2, 4]])


def test_the_principal_plane_holds_most_of_the_variance():
    plane = principal_plane_of(Z)
    torch.testing.assert_close(plane.axes.T @ plane.axes, torch.eye(2), atol=1e-5, rtol=1e-5)
    share = plane.places(Z).var(0, correction=0).sum() / Z.var(0, correction=0).sum()
    stated = sum(float(name.split("(")[1].split("%")[0]) for name in plane.names)
    assert float(share) * 100 == pytest.approx(stated, abs=1)


def test_density_is_one_where_codes_are_densest_and_nothing_far_away():
    places = torch.cat((torch.randn(500, 2, generator=torch.Generator().manual_seed(0)), torch.full((1, 2), 40.0)))
    density = Density(places)
    assert float(density.at(places).max()) == pytest.approx(1)
    at = density.at(torch.tensor([[0.0, 0.0], [2.0, 0.0], [20.0, 20.0]]))
    assert 0.8 < float(at[0]) <= 1.05
    assert float(at[1]) < 0.5 * float(at[0])
    assert float(at[2]) < 1e-6


def test_a_grid_runs_row_by_row_from_the_top_left():
    places = grid([(0.0, 2.0), (10.0, 30.0)], 3).tolist()
    assert places == [[x, y] for y in (30.0, 20.0, 10.0) for x in (0.0, 1.0, 2.0)]
    assert grid([(0.0, 1.0)], 3).tolist() == [[0.0], [0.5], [1.0]]


def test_cells_fill_the_spans():
    assert cells([(0.0, 4.0)], 4) == [(0.5, 3.5)]


def test_bounds_hold_the_codes_also_where_all_are_equal():
    ((low, high),) = bounds(torch.tensor([[1.0], [2.0]]))
    assert low < 1 < 2 < high
    ((low, high),) = bounds(torch.ones(3, 1))
    assert low < 1 < high


def test_the_nearest_code_is_by_the_euclidean_distance():
    assert nearest(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([0.0, 0.0])) == (0, 0.0)
    assert nearest(torch.tensor([[9.0, 9.0], [3.0, 4.0]]), torch.tensor([0.0, 0.0])) == (1, 5.0)
