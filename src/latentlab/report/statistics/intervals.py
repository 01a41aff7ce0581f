"""Metrics over seeds: mean, standard deviation, interval, paired differences, and whether the leader is the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, final

MIN_PAIRS = 3  # common seeds for a decision by paired differences
MIN_DRAWN = 3  # values for an interval in a chart

Better = Literal["lower", "higher"]
Rule = Literal["intervals", "paired"]


@final
@dataclass(frozen=True)
class Summary:
    """n values: their mean, sample standard deviation `spread`, and half the width of the mean's interval.

    The interval is of 95 %, or as much wider as several comparisons require.

    The spread and the interval are None for fewer than two values, the mean for no value.
    """

    n: int
    mean: float | None = None
    spread: float | None = None
    half: float | None = None

    @property
    def low(self) -> float | None:
        return None if self.mean is None or self.half is None else self.mean - self.half

    @property
    def high(self) -> float | None:
        return None if self.mean is None or self.half is None else self.mean + self.half

    @property
    def drawn(self) -> tuple[float, float] | None:
        """The interval, where there are enough values for it to fit a chart."""
        if self.n < MIN_DRAWN or self.low is None or self.high is None:
            return None
        return self.low, self.high

    @property
    def excludes_zero(self) -> bool:
        return self.mean is not None and self.half is not None and abs(self.mean) > self.half


@final
@dataclass(frozen=True)
class Leader:
    """The group with the best mean.

    index: of the group. rule: the one that makes it the best; None where none does.
    undecided: the groups from which no difference is shown.
    """

    index: int
    rule: Rule | None
    undecided: tuple[int, ...] = ()


@cache
def quantile(degrees: int, comparisons: int = 1) -> float:
    """The quantile of Student's t distribution by which that many two-sided intervals hold together at 95 %.

    Bonferroni's correction: the level of each is 1 - 0.05 / comparisons.
    """
    if degrees < 1:
        raise ValueError(f"degrees of freedom: expected at least 1, found {degrees}")
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _within(middle, degrees) < 1 - 0.05 / comparisons else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """The probability that |t| < sqrt(degrees) tan(angle) (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= k / (k + 1) * math.cos(angle) ** 2
    return (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total


def summary(values: Sequence[float], comparisons: int = 1) -> Summary:
    """The summary of finite values, which does not depend on their order.

    comparisons: how many intervals hold together at 95 % (see `quantile`).
    """
    n = len(values)
    if n < 2:
        return Summary(n, *values)
    low, high = min(values), max(values)
    if low == high:
        return Summary(n, low, 0.0, 0.0)
    mean = min(max(math.fsum(values) / n, low), high)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Summary(n, mean, spread, quantile(n - 1, comparisons) * spread / math.sqrt(n))


def paired(values: Mapping[int | str, float], baseline: Mapping[int | str, float], comparisons: int = 1) -> Summary:
    """The summary of the differences, values minus baseline, over their common seeds."""
    return summary(
        [values[seed] - baseline[seed] for seed in sorted(values.keys() & baseline.keys(), key=str)], comparisons
    )


def leader(summaries: Sequence[Summary], values: Sequence[Mapping[int | str, float]], better: Better) -> Leader | None:
    """The group with the best mean, and whether it differs from every other group with an interval.

    They differ by `differ`. None without any value; a leader of one value, and one without another interval beside
    it, is never marked as best.
    """
    means = [(entry.mean, index) for index, entry in enumerate(summaries) if entry.mean is not None]
    if not means:
        return None
    mean, best = min(means) if better == "lower" else max(means, key=lambda pair: (pair[0], -pair[1]))
    ties = {other for tied, other in means if tied == mean and other != best}
    others = [other for other, entry in enumerate(summaries) if other != best and entry.half is not None]
    if summaries[best].half is None or not others:
        return Leader(best, None, tuple(sorted(ties)))
    count = comparisons_among(summaries)
    rules = {other: differ(values[other], values[best], count) for other in others}
    undecided = ties | {other for other, found in rules.items() if found is None}
    rule: Rule = "paired" if "paired" in rules.values() else "intervals"
    return Leader(best, None if undecided else rule, tuple(sorted(undecided)))


def comparisons_among(summaries: Sequence[Summary]) -> int:
    """How many pairs there are of groups with an interval, at least 1.

    All count, also where one group is compared with each of the others: it was chosen by its value.
    """
    return max(1, math.comb(sum(entry.half is not None for entry in summaries), 2))


def differ(one: Mapping[int | str, float], other: Mapping[int | str, float], comparisons: int) -> Rule | None:
    """The rule by which two groups of values by seed differ, as one of so many comparisons; None where they do not.

    Either their intervals do not overlap, or the paired differences over at least `MIN_PAIRS` common seeds exclude 0,
    both by intervals that hold together at 95 %.
    """
    if are_apart(summary([*one.values()], comparisons), summary([*other.values()], comparisons)):
        return "intervals"
    difference = paired(one, other, comparisons)
    return "paired" if difference.n >= MIN_PAIRS and difference.excludes_zero else None


def are_apart(one: Summary, other: Summary) -> bool:
    """Whether the two intervals do not overlap."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low
