"""Means, intervals, paired differences and the best group, against closed forms, tables and invariances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_rel

from latentlab.report.statistics.intervals import (
    Leader,
    Summary,
    are_apart,
    comparisons_among,
    differ,
    leader,
    paired,
    quantile,
    summary,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)


@pytest.mark.parametrize("degrees", [*range(1, 41), 60, 100, 499])
def test_the_quantile_is_that_of_student_s_t(degrees):
    assert quantile(degrees) == pytest.approx(t.ppf(0.975, degrees), rel=2e-6)


@pytest.mark.parametrize("comparisons", [2, 7, 190])
def test_the_quantile_of_several_comparisons_is_bonferroni_s(comparisons):
    assert quantile(4, comparisons) == pytest.approx(t.ppf(1 - 0.025 / comparisons, 4))
    assert quantile(4, comparisons) > quantile(4)


def test_the_quantile_of_one_degree_is_that_of_cauchy():
    assert quantile(1, 5) == pytest.approx(math.tan(math.pi * (0.5 - 0.005)))


def test_a_difference_that_excludes_zero_alone_does_not_as_one_of_two():
    """Of two degrees of freedom: differences 2, 3, 4 have t = 3 sqrt(3), p = 0.035; 1, 2, 3 have p = 0.074."""
    base, higher = {0: 10.0, 1: 20.0, 2: 30.0}, {0: 12.0, 1: 23.0, 2: 34.0}
    assert differ(higher, base, 1) == "paired"
    assert differ(higher, base, 2) is None
    assert differ({0: 11.0, 1: 22.0, 2: 33.0}, base, 1) is None


def test_the_leader_of_many_groups_needs_more_than_the_leader_of_two():
    groups = [[10.0, 20.0, 30.0], [12.0, 23.0, 34.0]]
    assert leader_of(groups) == Leader(0, "paired")
    far = [[1000.0, 1010.0, 1020.0]] * 3
    assert leader_of([*groups, *far]) == Leader(0, None, (1,))


def test_every_pair_of_groups_counts_as_a_comparison():
    """The group that the others are compared with was chosen by its value."""
    one, two = summary([1.0]), summary([1.0, 2.0])
    assert [comparisons_among([two] * k) for k in (0, 1, 2, 3, 6)] == [1, 1, 1, 3, 15]
    assert comparisons_among([one, two, one, two]) == 1


@pytest.mark.parametrize("groups", [2, 3, 6])
def test_equal_groups_differ_from_their_leader_in_at_most_five_percent_of_cases(groups):
    draws = np.random.default_rng(0).normal(size=(4_000, groups, 3))
    found = 0
    for values in draws.tolist():
        by_seed = [dict(enumerate(own)) for own in values]
        best = min(range(groups), key=lambda k: sum(values[k]))
        found += any(differ(own, by_seed[best], math.comb(groups, 2)) for k, own in enumerate(by_seed) if k != best)
    assert found / 4_000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4_000)


def test_three_values_by_hand():
    found = summary([1.0, 2.0, 3.0])
    assert (found.n, found.mean, found.spread) == (3, 2.0, 1.0)
    assert found.half == pytest.approx(4.302653 / math.sqrt(3))
    assert (found.low, found.high) == pytest.approx((2 - found.half, 2 + found.half))


def test_no_value_and_one_value_have_no_interval():
    assert summary([]) == Summary(0)
    assert summary([3.0]) == Summary(1, 3.0)
    assert summary([3.0]).low is None


def test_equal_values_have_an_interval_of_no_width():
    assert summary([0.1] * 7) == Summary(7, 0.1, 0.0, 0.0)


@given(values, st.randoms())
def test_the_order_of_the_runs_changes_nothing(found, source):
    shuffled = list(found)
    source.shuffle(shuffled)
    assert summary(shuffled) == summary(found)


@given(values, st.integers(-1000, 1000))
def test_a_shift_changes_only_the_mean(found, shift):
    before, after = summary(found), summary([value + shift for value in found])
    assert after.mean == pytest.approx(before.mean + shift, abs=1e-6)
    assert after.spread == pytest.approx(before.spread, abs=1e-6, rel=1e-6)


@given(values)
def test_the_mean_lies_between_the_ends(found):
    assert min(found) <= summary(found).mean <= max(found)


def test_pairs_are_of_common_seeds_and_agree_with_the_paired_t_test():
    ours, theirs = {0: 1.0, 1: 2.5, 2: 2.0, 3: 9.0}, {2: 1.0, 0: 0.5, 1: 1.0, 7: 0.0}
    found = paired(ours, theirs)
    assert found.n == 3
    assert found.mean == pytest.approx(1.0)
    interval = ttest_rel([1.0, 2.5, 2.0], [0.5, 1.0, 1.0]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-5)
    assert not found.excludes_zero


def leader_of(groups, better="lower"):
    by_seed = [dict(enumerate(group)) for group in groups]
    return leader([summary(group) for group in groups], by_seed, better)


def test_a_leader_apart_from_all_is_best_by_intervals():
    groups = [[1.0, 1.01, 0.99], [2.0, 2.01, 1.99], [3.0, 3.1, 2.9]]
    assert leader_of(groups) == Leader(0, "intervals")
    assert leader_of(groups, "higher") == Leader(2, "intervals")


def test_groups_with_overlapping_intervals_can_differ_by_pairs():
    groups = [[1.0, 2.0, 3.0], [1.1, 2.11, 3.1]]
    assert not are_apart(*map(summary, groups))
    assert leader_of(groups) == Leader(0, "paired")


def test_two_common_seeds_are_too_few_for_pairs():
    assert leader_of([[1.0, 2.0], [1.1, 2.1]]) == Leader(0, None, (1,))


def test_no_difference_shown_names_the_groups_that_remain():
    assert leader_of([[1.0, 2.0, 3.0], [2.5, 1.0, 2.9], [90.0, 91.0, 92.0]]) == Leader(0, None, (1,))


def test_a_single_seed_is_never_marked_and_never_compared_with():
    assert leader_of([[0.5], [1.0, 1.1, 0.9], [9.0, 9.1, 9.2]]) == Leader(0, None)
    assert leader_of([[1.0, 1.01, 0.99], [2.0]]) == Leader(0, None)
    assert leader_of([[1.0, 1.01, 0.99], [2.0], [3.0, 3.01, 3.02]]) == Leader(0, "intervals")


def test_equal_groups_without_spread_do_not_differ():
    assert leader_of([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]) == Leader(0, None, (1,))


def test_without_values_there_is_no_leader():
    assert leader_of([[], []]) is None
    assert leader_of([[], [1.0, 1.1]]) == Leader(1, None)


@given(st.lists(values, min_size=2, max_size=5))
def test_a_marked_group_has_the_best_mean(groups):
    found = leader_of(groups)
    assert found is not None
    assert summary(groups[found.index]).mean == min(summary(group).mean for group in groups)
