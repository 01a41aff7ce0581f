"""The groups compared metric by metric: the leader, whether it is the best, and the differences from a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from latentlab.errors import ConfigError
from latentlab.report.comparable import Comparability
from latentlab.report.reading.groups import Group, Values, first_of
from latentlab.report.statistics.intervals import Leader, Summary, comparisons_among, differ, leader, paired, summary
from latentlab.report.statistics.measures import YARDSTICK, Measure, compact, counted, decimals_for, measure, with_half


@final
@dataclass(frozen=True)
class Comparison:
    """One metric over all groups.

    summaries: by group. leader: None where neither lower nor higher is better, or no group has a value.
    baseline: the index of the group that is subtracted, by common seeds, to give `differences`, whose intervals hold
    together at 95 %. differing: by group, whether it differs from the baseline, by the rule of the leader.
    not_compared: why there is no leader, where the values are of different kinds.
    """

    measure: Measure
    summaries: tuple[Summary, ...]
    leader: Leader | None
    baseline: int | None = None
    differences: tuple[Summary, ...] = ()
    differing: tuple[bool, ...] = ()
    not_compared: str = ""

    @property
    def best(self) -> int | None:
        """The index of the group that is marked as the best."""
        return self.leader.index if self.leader is not None and self.leader.rule is not None else None

    @property
    def is_of_yardstick(self) -> bool:
        return self.measure.key in YARDSTICK

    @cached_property
    def decimals(self) -> int:
        """The number of decimals of the means in a table."""
        return decimals_for(self.means)

    @property
    def means(self) -> list[float]:
        """The means of the groups that have one."""
        return [entry.mean for entry in self.summaries if entry.mean is not None]


def compare(groups: Sequence[Group], baseline: str | None, comparability: Comparability) -> list[Comparison]:
    """Every metric of the complete runs, those of the yardstick first.

    baseline: the name of the group that is subtracted from the others; None for each metric's leader.

    Raises:
        ConfigError: no group has the name.
    """
    chosen = _named(baseline, groups)
    names = {name for group in groups for record in group.complete for name in record.metrics}
    further = sorted(names - YARDSTICK.keys(), key=lambda name: (not name.startswith("test/"), name))
    ordered = [*(name for name in YARDSTICK if name in names), *further]
    return [
        comparison(measure(name), [group.values(name) for group in groups], chosen, comparability.why_not(name))
        for name in ordered
    ]


def sentence(comparison: Comparison, groups: Sequence[Group]) -> str:
    """The leader of one metric and the rule that makes it the best; empty where there is no leader."""
    first, entries = comparison.leader, comparison.summaries
    if first is None:
        return ""
    best, label = entries[first.index], comparison.measure.label
    named = f"{label}: {groups[first.index].name}, {_value(best)}"

    def distance(index: int) -> float:
        return abs((entries[index].mean or 0.0) - (best.mean or 0.0))

    if len(comparison.means) == 1:
        return f"{named}; no other group to compare with." if len(groups) > 1 else f"{label}: {_value(best)}."
    if best.half is None:
        return f"{named}, has the best value; one seed has no interval."
    if first.rule == "intervals":
        others = [index for index, entry in enumerate(entries) if index != first.index and entry.half is not None]
        near = min(others, key=distance)
        return f"{named}, is best; its interval is apart from the next, {groups[near].name} ({_value(entries[near])})."
    if first.rule == "paired":
        return f"{named}, is best; intervals overlap, but on common seeds its difference from each excludes 0."
    if not first.undecided:
        return f"{named}, has the best mean; no other group has an interval to compare with."
    undecided = first_of([groups[index].name for index in sorted(first.undecided, key=distance)], 3)
    return f"{label}: no difference shown between {groups[first.index].name}, {_value(best)}, and {undecided}."


def comparison(
    known: Measure, values: Sequence[Values], chosen: int | None = None, not_compared: str = ""
) -> Comparison:
    """One metric, given by its values of each group.

    chosen: the index of the group that is subtracted from the others; None for the leader. not_compared: why nothing
    may be marked as the best, if so.
    """
    entries = tuple(summary([*found.values()]) for found in values)
    first = leader(entries, values, known.better) if not not_compared and known.better is not None else None
    base = chosen if chosen is not None else first.index if first is not None else None
    if base is None:
        return Comparison(known, entries, first, not_compared=not_compared)
    count = comparisons_among(entries)
    differences = tuple(paired(found, values[base], count) for found in values)
    differing = tuple(differ(found, values[base], count) is not None for found in values)
    return Comparison(known, entries, first, base, differences, differing, not_compared)


def _named(baseline: str | None, groups: Sequence[Group]) -> int | None:
    names = [group.name for group in groups]
    if baseline is not None and baseline not in names:
        raise ConfigError(f"baseline: no group {baseline!r}; expected one of {first_of(map(repr, names), 12)}")
    return names.index(baseline) if baseline is not None else None


def _value(entry: Summary) -> str:
    assert entry.mean is not None
    text = with_half(entry.mean, entry.half) if entry.half is not None else compact(entry.mean)
    return f"{text} ({counted(entry.n, 'seed')})"
