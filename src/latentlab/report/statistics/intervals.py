"""Figures over seeds: mean, standard deviation, interval, paired differences, and whether the leader is the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

MIN_PAIRS = 3  # common seeds for a decision by paired differences
MIN_DRAWN = 3  # values for an interval in a chart

# the 97.5 % quantile of Student's t, for 1 to 30 degrees of freedom
QUANTILES = (
    *(12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139),
    *(2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963),
    *(2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272),
)
NORMAL = 1.959964  # the same quantile of the normal distribution

Better = Literal["lower", "higher"]
Rule = Literal["intervals", "paired"]


@final
@dataclass(frozen=True)
class Summary:
    """n values: their mean, sample standard deviation `spread`, and half the width of the mean's 95 % interval.

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


def quantile(degrees: int) -> float:
    """The 97.5 % quantile of Student's t distribution, to six decimals."""
    if degrees < 1:
        raise ValueError(f"degrees of freedom: expected at least 1, found {degrees}")
    if degrees <= len(QUANTILES):
        return QUANTILES[degrees - 1]
    z, n = NORMAL, float(degrees)  # Abramowitz & Stegun 26.7.5
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def summary(values: Sequence[float]) -> Summary:
    """The summary of finite values, which does not depend on their order."""
    n = len(values)
    if n < 2:
        return Summary(n, *values)
    low, high = min(values), max(values)
    if low == high:
        return Summary(n, low, 0.0, 0.0)
    mean = min(max(math.fsum(values) / n, low), high)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Summary(n, mean, spread, quantile(n - 1) * spread / math.sqrt(n))


def paired(values: Mapping[int | str, float], baseline: Mapping[int | str, float]) -> Summary:
    """The summary of the differences, values minus baseline, over their common seeds."""
    return summary([values[seed] - baseline[seed] for seed in sorted(values.keys() & baseline.keys(), key=str)])


def leader(summaries: Sequence[Summary], values: Sequence[Mapping[int | str, float]], better: Better) -> Leader | None:
    """The group with the best mean, and whether it differs from every other group with an interval.

    Two groups differ where their 95 % intervals do not overlap, or where the paired differences over at
    least `MIN_PAIRS` common seeds exclude 0. None without any value; a leader of one value, and one without
    another interval beside it, is never marked as best.
    """
    means = [(entry.mean, index) for index, entry in enumerate(summaries) if entry.mean is not None]
    if not means:
        return None
    mean, best = min(means) if better == "lower" else max(means, key=lambda pair: (pair[0], -pair[1]))
    ties = {other for tied, other in means if tied == mean and other != best}
    others = [other for other, entry in enumerate(summaries) if other != best and entry.half is not None]
    if summaries[best].half is None or not others:
        return Leader(best, None, tuple(sorted(ties)))
    overlapping = [other for other in others if not are_apart(summaries[best], summaries[other])]
    undecided = ties | {other for other in overlapping if not _are_apart_in_pairs(values[best], values[other])}
    rule: Rule = "paired" if overlapping else "intervals"
    return Leader(best, None if undecided else rule, tuple(sorted(undecided)))


def are_apart(one: Summary, other: Summary) -> bool:
    """Whether the two 95 % intervals do not overlap."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def _are_apart_in_pairs(one: Mapping[int | str, float], other: Mapping[int | str, float]) -> bool:
    difference = paired(one, other)
    return difference.n >= MIN_PAIRS and difference.excludes_zero
