"""Label spreading: the graph, the propagation, the mass of the classes and the vote, against closed forms."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import make_moons

from latentlab.evaluation.metrics.few_labels import few_labels
from latentlab.evaluation.metrics.label_spreading import (
    ALPHA,
    NEIGHBOURS,
    UNITS,
    components,
    label_spreading,
    neighbour_graph,
    one_hot,
    spread,
    vote,
    with_class_mass,
)
from latentlab.models.codes import Codes


def moons(count, seed):
    x, y = make_moons(count, noise=0.05, random_state=seed)
    return Codes(torch.from_numpy(x).float(), torch.from_numpy(y), None)


def line(points):
    return np.array(points, dtype=np.float32)[:, None]


def test_scores_solve_the_equation_of_the_fixed_point():
    x = np.random.default_rng(0).normal(size=(40, 3))
    spreading = neighbour_graph(x, x[:1]).spreading
    given = one_hot(np.arange(40) % 4, np.arange(8), 4)
    exact = np.linalg.solve(np.eye(40) - ALPHA * spreading.toarray(), given)
    assert spread(spreading, given, tolerance=1e-6) == pytest.approx(exact, abs=1e-4 * exact.max())
    by_iteration = given
    for _ in range(3_000):
        by_iteration = ALPHA * spreading @ by_iteration + (1 - ALPHA) * given
    assert by_iteration / (1 - ALPHA) == pytest.approx(exact, abs=1e-4 * exact.max())


def test_columns_are_spread_independently_of_each_other():
    x = np.random.default_rng(0).normal(size=(60, 3))
    spreading = neighbour_graph(x, x[:1]).spreading
    given = np.column_stack([1e4 * np.eye(60)[0], np.eye(60)[1], np.zeros(60)]).astype(np.float32)
    alone = np.column_stack([spread(spreading, given[:, [column]]) for column in range(3)])
    assert spread(spreading, given) == pytest.approx(alone, rel=0.01, abs=0.01)
    assert not spread(spreading, given)[:, 2].any()


def test_the_labels_of_a_graph_in_two_parts_stay_in_theirs():
    found = spread(csr_array(np.kron(np.eye(2), [[0, 1], [1, 0]]).astype(np.float32)), np.eye(4, 2, dtype=np.float32))
    # each part is [[1, -alpha], [-alpha, 1]], but both labels are in the first
    inverse = np.array([[1, ALPHA], [ALPHA, 1]]) / (1 - ALPHA**2)
    assert found == pytest.approx(np.vstack([inverse, np.zeros((2, 2))]), rel=1e-4)


def test_weights_of_a_graph_are_those_of_its_table():
    # each row has one neighbour: 0 and 1 each other, which counts twice, and 2 has 1
    graph = neighbour_graph(line([0, 1, 3]), line([5]), neighbours=1)
    near, far = np.exp(-1 / (1 * 1)), np.exp(-4 / (2 * 1))
    weights = np.array([[0, 2 * near, 0], [2 * near, 0, far], [0, far, 0]])
    root = 1 / np.sqrt(weights.sum(1))
    assert graph.spreading.toarray() == pytest.approx(root[:, None] * weights * root, rel=1e-6)


def test_votes_for_a_test_row_are_those_of_its_table():
    graph = neighbour_graph(line([0, 1, 3, 7]), line([2.5]), neighbours=2)
    # the second neighbour gives the scales: 1.5 of the test row, 2 of row 2 and of row 1
    expected = [0, np.exp(-(1.5**2) / (1.5 * 2)), np.exp(-(0.5**2) / (1.5 * 3)), 0]
    assert graph.votes.toarray()[0] == pytest.approx(expected, rel=1e-6)


def test_test_rows_have_no_part_in_the_graph():
    x = np.random.default_rng(0).normal(size=(50, 3))
    few, many = (neighbour_graph(x, x[:count] + 0.1) for count in (1, 50))
    assert (few.spreading != many.spreading).nnz == 0
    assert many.votes.shape == (50, 50)
    assert np.diff(many.votes.indptr).tolist() == [NEIGHBOURS] * 50


def test_equal_rows_are_neighbours_of_weight_one():
    graph = neighbour_graph(np.zeros((30, 2)), np.zeros((2, 2)))
    assert graph.spreading.data.min() > 0
    assert graph.votes.data.tolist() == [1.0] * 2 * NEIGHBOURS


def test_the_mass_of_a_class_is_that_of_its_labels():
    scores = np.array([[3.0, 1.0], [1.0, 1.0], [0.0, 0.0], [4.0, 2.0]])  # columns of 8 and 4 become 1 and 3
    expected = [[3 / 8, 3 / 4], [1 / 8, 3 / 4], [0, 0], [1 / 2, 3 / 2]]
    assert with_class_mass(scores, np.array([1.0, 3.0])) == pytest.approx(np.array(expected), rel=1e-6)


def test_labels_of_near_codes_vote_by_their_weights():
    votes = csr_array(np.array([[0.5, 0.3, 0.3, 0], [0.5, 0.2, 0.2, 0], [0, 0.1, 0, 0.2]]))
    assert vote(votes, np.array([2, 0, 0, 1]), 3).tolist() == [0, 2, 1]


def test_one_label_per_moon_is_enough():
    train, test = moons(1_000, 0), moons(500, 1)
    by_spreading = dict(label_spreading(train, test, counts=(2,), draws=5))
    assert by_spreading == {"few_labels_2_spreading_error": 0, "few_labels_2_spreading_spread": 0}
    assert dict(few_labels(train, test, counts=(2,), draws=5))["few_labels_2_error"] > 0.1


def test_labels_need_not_count_from_zero():
    train, test = moons(300, 0), moons(100, 1)
    named = [codes._replace(y=7 - 4 * codes.y) for codes in (train, test)]
    assert dict(label_spreading(*named, (10,), 3)) == dict(label_spreading(train, test, (10,), 3))


def test_the_draws_are_those_of_the_other_classifier_and_impossible_counts_are_skipped():
    random, counts = np.random.default_rng(0), (2, 20, 5_000)
    y = torch.arange(400) % 4
    train = Codes(torch.from_numpy(random.normal(size=(400, 3))).float() + 2 * torch.eye(4)[y, :3], y, None)
    first, again, other = (dict(label_spreading(train, train, counts, 3, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert {name.replace("_spreading_", "_") for name in first} == dict(few_labels(train, train, counts, 3)).keys()


def test_wide_codes_are_reduced_to_principal_components_of_the_training_codes():
    random = np.random.default_rng(0)
    x = random.normal(size=(307, 3)) @ random.normal(size=(3, UNITS + 20))
    narrow, narrow_test = components(x[:300], x[300:])
    assert (narrow.shape, narrow_test.shape) == ((300, UNITS), (7, UNITS))
    between = [np.linalg.norm(train[0] - test[0]) for train, test in ((x, x[300:]), (narrow, narrow_test))]
    assert between[1] == pytest.approx(between[0], rel=1e-6)
    assert np.array_equal(components(x[:, :UNITS], x[:7, :UNITS])[1], x[:7, :UNITS])
