"""The probes and few labels, on codes of known classes."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from latentlab.evaluation.metrics.few_labels import balanced, few_labels
from latentlab.evaluation.metrics.probes import (
    NEIGHBOURS,
    STRENGTHS,
    WIDE,
    chosen_strength,
    nearest_label,
    probes,
    scaled,
)
from latentlab.models.codes import Codes


def blobs(count, spread, seed, classes=4):
    """Codes around one corner per class."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % classes
    corners = 4.0 * torch.eye(classes)
    return Codes(corners[y] + spread * torch.randn(count, classes, generator=generator), y, None)


def test_separated_classes_are_found_without_an_error():
    found = dict(probes(blobs(800, 0.3, 0), blobs(200, 0.3, 1)))
    assert found == pytest.approx(
        {"linear_probe_error": 0, "knn_error": 0, "kmeans_nmi": 1, "kmeans_ari": 1}, abs=1e-12
    )


def test_codes_independent_of_the_class_are_at_chance_level():
    codes = blobs(4_000, 0.3, 0)
    noise = [Codes(torch.randn(len(c.y), 4, generator=torch.Generator().manual_seed(7)), c.y, None) for c in (codes,)]
    test = Codes(torch.randn(2_000, 4, generator=torch.Generator().manual_seed(8)), blobs(2_000, 1, 0).y, None)
    found = dict(probes(noise[0], test))
    assert found["linear_probe_error"] == pytest.approx(0.75, abs=0.04)
    assert found["knn_error"] == pytest.approx(0.75, abs=0.04)
    assert abs(found["kmeans_ari"]) < 0.02


def test_metrics_are_invariant_to_a_shift_and_a_scale_of_the_codes():
    train, test = blobs(800, 1.5, 0), blobs(300, 1.5, 1)
    moved = [codes._replace(z=1e3 * codes.z + 7) for codes in (train, test)]
    assert dict(probes(*moved)) == pytest.approx(dict(probes(train, test)), abs=0.01)


def test_scaling_is_by_one_number_and_finite_for_equal_codes():
    train, test = scaled(torch.tensor([[0.0, 0.0], [2.0, 4.0]]), torch.tensor([[1.0, 2.0]]))
    assert train[1, 1] == pytest.approx(2 * train[1, 0])
    assert test.abs().max() < 1e-6
    assert scaled(torch.ones(3, 2), torch.ones(1, 2))[0].isfinite().all()


def test_few_labels_are_balanced_and_differ_between_draws():
    y = blobs(400, 1, 0).y.numpy()
    first, second = (balanced(y, 40, np.random.default_rng(seed)) for seed in (0, 1))
    assert np.bincount(y[first]).tolist() == [10] * 4
    assert len(set(first.tolist())) == 40
    assert set(first.tolist()) != set(second.tolist())


@pytest.mark.parametrize(("classes", "count"), [(47, 100), (47, 47), (4, 41), (10, 1_000)])
def test_few_labels_are_exactly_as_many_as_in_their_name(classes, count):
    y = np.arange(9_400) % classes
    found = np.bincount(y[balanced(y, count, np.random.default_rng(0))])
    assert found.sum() == count
    assert found.max() - found.min() <= 1
    assert balanced(y, classes - 1, np.random.default_rng(0)) is None


def test_the_error_falls_with_more_labels_and_impossible_counts_are_skipped():
    train, test = blobs(1_000, 2.5, 0), blobs(1_000, 2.5, 1)
    found = dict(few_labels(train, test, counts=(2, 8, 800, 5_000), draws=5))
    assert found.keys() == {f"few_labels_{n}_{what}" for n in (8, 800) for what in ("error", "spread")}
    assert found["few_labels_800_error"] < found["few_labels_8_error"]
    assert found["few_labels_8_spread"] > found["few_labels_800_spread"] > 0


def test_the_draws_are_the_same_for_a_seed():
    train, test = blobs(500, 2.5, 0), blobs(300, 2.5, 1)
    first, again, other = (dict(few_labels(train, test, (20,), 3, seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_the_regularisation_is_chosen_on_training_codes():
    random = np.random.default_rng(0)
    y = torch.from_numpy(random.integers(0, 2, 150))
    noise = torch.from_numpy(random.normal(size=(150, 400))).float()  # only the first unit is informative
    noise[:, 0] += 2.0 * y
    assert chosen_strength(noise, y) < 0.1
    y = torch.arange(600) % 4
    assert chosen_strength(4 * torch.eye(4)[y], y) == max(STRENGTHS)


@pytest.mark.parametrize("units", [3, WIDE, 3 * WIDE])
def test_the_majority_of_the_nearest_rows_is_that_of_sklearn(units):
    random = np.random.default_rng(0)
    y = random.integers(0, 5, 900)
    x, x_test = (random.normal(size=(n, units)).astype(np.float32) for n in (900, 1_700))
    x[np.arange(900), y % units] += 3.0
    expected = KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(x.astype(np.float64), y).predict(x_test)
    assert nearest_label(*map(torch.from_numpy, (x, y, x_test))).tolist() == expected.tolist()


def test_of_equally_frequent_labels_the_least_is_chosen():
    x = torch.ones(10, WIDE)
    assert nearest_label(x, torch.tensor([7, 2] * 5), x[:3]).tolist() == [2, 2, 2]


def test_near_codes_on_a_line_are_distinguished():
    line = torch.linspace(-5, 5, 55_000)[:, None]
    y = torch.arange(55_000) // 10 % 2  # float32 would mix up some twenty neighbours
    assert torch.equal(nearest_label(line, y, line[5::1_000]), y[5::1_000])
