"""Precision and recall of sets whose overlap is known."""

import pytest
import torch

from latentlab.evaluation.metrics.precision_recall import precision_and_recall, squared_radii


def around(centre, count=300, seed=0):
    """Normal points around (centre, centre, ...)."""
    return centre + torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


def measured(made, real):
    return precision_and_recall(made, real, squared_radii(real))


def test_a_ball_reaches_to_the_third_nearest_other_member():
    on_a_line = torch.tensor([[0.0], [1.0], [3.0], [6.0], [10.0]])
    assert squared_radii(on_a_line).tolist() == [36, 25, 9, 25, 81]  # 6 - 0, 6 - 1, 3 - 0, 6 - 1, 10 - 1


def test_identical_sets_have_a_precision_and_a_recall_of_one():
    real = around(0)
    assert measured(real, real) == (1, 1)
    assert measured(real[torch.randperm(300)], real) == (1, 1)


def test_a_dropped_mode_lowers_the_recall_alone():
    real = torch.cat((around(-50), around(50)))
    precision, recall = measured(around(50, 600, seed=1), real)
    both = measured(torch.cat((around(-50, seed=1), around(50, seed=2))), real)
    assert precision == pytest.approx(both[0], abs=0.05)
    assert precision > 0.8
    assert 0.4 < recall <= 0.5 < 0.8 < both[1]


def test_far_noise_has_neither():
    assert measured(around(100, seed=1), around(0)) == (0, 0)


def test_half_of_the_samples_far_away_lowers_the_precision_alone():
    precision, recall = measured(torch.cat((around(0), around(500))), around(0))
    assert (precision, recall) == (0.5, 1)


def test_chunks_of_rows_are_all_counted():
    real, made = around(0, 2_500), around(0.5, 1_700, seed=1)
    distances = torch.cdist(made.double(), real.double())
    own = torch.cdist(real.double(), real.double()).sort(1).values[:, 3]
    precision = float((distances <= own).any(1).double().mean())
    of_made = torch.cdist(made.double(), made.double()).sort(1).values[:, 3]
    recall = float((distances <= of_made[:, None]).any(0).double().mean())
    assert measured(made, real) == pytest.approx((precision, recall), abs=0.002)  # float32 at the rim of a ball


def test_no_samples_have_neither():
    assert measured(around(0, 0), around(0)) == (0, 0)
    assert measured(around(0), around(0, 0)) == (0, 0)


def test_fewer_members_than_neighbours_reach_to_the_farthest():
    assert squared_radii(torch.tensor([[0.0], [2.0]])).tolist() == [4, 4]
