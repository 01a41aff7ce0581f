"""Axes of settings: numbers as numbers, logarithmic where they span decades, and names that do not overlap."""

import random

import pytest

from latentlab.report.charts.placing import names_beside
from latentlab.report.charts.scales import counts, is_continuous, setting_axis, typical
from latentlab.report.statistics.measures import decimals_for, fixed


def drawn(count, draw):
    source = random.Random(0)
    return [draw(source) for _ in range(count)]


@pytest.mark.parametrize("count", [10, 25, 50, 200, 1000])
def test_values_drawn_uniformly_have_a_linear_axis_and_log_uniform_ones_a_logarithmic_axis(count):
    assert not setting_axis(drawn(count, lambda source: source.uniform(0, 1)), 0.0, 1.0).numbers.is_log
    assert setting_axis(drawn(count, lambda source: 10 ** source.uniform(-4, -1)), 0.0, 1.0).numbers.is_log


def test_a_search_that_continued_around_one_value_keeps_its_logarithmic_axis():
    wide = drawn(8, lambda source: 10 ** source.uniform(-4, -1))
    near = drawn(20, lambda source: 10 ** source.gauss(-2, 0.3))
    assert setting_axis(wide + near, 0.0, 1.0).numbers.is_log


@pytest.mark.parametrize(
    ("values", "is_log"),
    [((2, 4, 8), True), ((1, 2, 3, 4), False), ((0.01, 0.1, 0.5, 1), True), ((0, 1, 2), False), ((10, 20, 40), True)],
)
def test_the_axis_of_a_grid(values, is_log):
    axis = setting_axis(values, 0.0, 1.0)
    assert axis.names == {}
    assert axis.numbers.is_log == is_log
    assert axis.few == tuple(map(float, values))


def test_many_numbers_around_0_have_an_axis_of_numbers():
    values = drawn(40, lambda source: source.uniform(-1, 1))
    assert is_continuous(values)
    assert setting_axis(values, 0.0, 1.0).names == {}
    assert setting_axis([0, 0.01, 10], 0.0, 1.0).names != {}


@pytest.mark.parametrize("values", [[0], [0, 1], [1, 2], [1, 2, 3, 4], list(range(25)), list(range(1000))])
def test_counts_have_whole_ticks(values):
    ticks = counts([float(value) for value in values], 0.0, 1.0).tick_values()
    assert ticks
    assert all(value == int(value) >= 0 for value in ticks)
    assert len(ticks) <= 8


def test_a_few_far_values_do_not_flatten_a_chart():
    assert typical([*(float(k) for k in range(100)), 1e9])[1] < 1000
    assert typical([1.0, 1e9]) == [1.0, 1e9]


def test_decimals_fit_most_of_the_numbers():
    assert decimals_for([0.0512, 0.1234]) == 4
    assert decimals_for([0.1, 0.2, 0.3, 0.4, 1e5]) == 4
    assert fixed(1e5, 4) == "100\u202f000.00"
    assert decimals_for([]) == decimals_for([0.0]) == 0


def test_names_of_points_at_one_position_do_not_overlap():
    marks = names_beside([(200.0, 100.0, "AE"), (200.0, 100.0, "DenoisingAE"), (204.0, 101.0, "VAE")])
    assert len(marks) == 3
    assert len({str(mark).split(' y="')[1].split('"')[0] + str("end" in str(mark)) for mark in marks}) == 3


def test_a_name_without_a_free_position_is_left_out():
    assert 0 < len(names_beside([(200.0, 100.0, f"name {k}") for k in range(40)])) < 40
