"""What the figures say, metric by metric: who leads, by what rule, and how far the others are from a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from latentlab.errors import ConfigError
from latentlab.report.reading.groups import Group
from latentlab.report.statistics.measures import YARDSTICK, Measure, compact, measure, with_half
from latentlab.report.statistics.statistics import Leader, Summary, are_apart, leader, paired, summary

MOST_NAMED = 3


@final
@dataclass(frozen=True)
class Judged:
    """One figure over all groups. summaries: by group; leader: None where no better is known, or no value."""

    measure: Measure
    summaries: tuple[Summary, ...]
    leader: Leader | None
    baseline: int | None = None
    differences: tuple[Summary, ...] = ()

    @property
    def marked(self) -> int | None:
        """The group that may be called best."""
        return self.leader.place if self.leader is not None and self.leader.rule is not None else None


def judge(groups: Sequence[Group], baseline: str | None = None, comparable: bool = True) -> list[Judged]:
    """Every figure of the complete runs, those of the yardstick first.

    baseline: the name of the group that differences are taken from; None for each figure's leader.
    comparable: whether the groups were measured on the same data; where not, nothing is best.

    Raises:
        ConfigError: no group has the name.
    """
    chosen = _named(baseline, groups)
    names = {name for group in groups for record in group.complete for name in record.metrics}
    ordered = [name for name in YARDSTICK if name in names]
    ordered += sorted(name for name in names - {*ordered} if name.startswith("test/"))
    ordered += sorted(name for name in names - {*ordered})
    return [_judged(name, groups, chosen, comparable) for name in ordered]


def cost(name: str, groups: Sequence[Group]) -> list[Summary]:
    """Seconds or parameters of each group."""
    return [summary(list(group.values(name).values())) for group in groups]


def sentence(judged: Judged, groups: Sequence[Group]) -> str:
    """The verdict on one figure, in words; empty where there is none to give."""
    first, entries = judged.leader, judged.summaries
    if first is None:
        return ""
    ours, label = entries[first.place], judged.measure.label
    told = f"{groups[first.place].name}, {_figure(ours)}"
    others = [place for place, entry in enumerate(entries) if entry.mean is not None and place != first.place]
    if not others:
        return f"{label}: {told}; no other group to compare with." if len(groups) > 1 else f"{label}: {_figure(ours)}."
    if ours.half is None:
        return f"{label}: {told}, has the best value; one seed says nothing about chance."
    if first.rule == "intervals":
        near = _next(judged)
        next_best = f"{groups[near].name} ({_figure(entries[near])})"
        return f"{label}: {told}, is best; its interval is apart from the next, {next_best}."
    if first.rule == "paired":
        return f"{label}: {told}, is best; intervals overlap, but on common seeds its difference from each excludes 0."
    if not first.undecided:
        return f"{label}: {told}, has the best mean; no other group has an interval to compare with."
    closest = sorted(first.undecided, key=lambda place: abs((entries[place].mean or 0.0) - (ours.mean or 0.0)))
    undecided = _some([groups[place].name for place in closest])
    return f"{label}: no difference shown between {told}, and {undecided}."


def verdict(judged: Sequence[Judged], groups: Sequence[Group], is_search: bool) -> list[str]:
    """A sentence for each figure that has one.

    Of a search only where there are seeds to judge by: the best of many trials on the test set is no finding.
    """
    led = [entry for entry in judged if not is_search or _has_interval(entry)]
    return [told for entry in led if (told := sentence(entry, groups))]


def _has_interval(judged: Judged) -> bool:
    return judged.leader is not None and judged.summaries[judged.leader.place].half is not None


def _judged(name: str, groups: Sequence[Group], chosen: int | None, comparable: bool) -> Judged:
    values = [group.values(name) for group in groups]
    entries = tuple(summary(list(found.values())) for found in values)
    known = measure(name)
    first = leader(entries, values, known.better) if known.better is not None else None
    if first is not None and not comparable:
        first = None
    base = chosen if chosen is not None else first.place if first is not None else None
    differences = () if base is None else tuple(paired(found, values[base]) for found in values)
    return Judged(known, entries, first, base, differences)


def _named(baseline: str | None, groups: Sequence[Group]) -> int | None:
    if baseline is None:
        return None
    names = [group.name for group in groups]
    if baseline not in names:
        listed = ", ".join(repr(name) for name in names[:12]) + (", ..." if len(names) > 12 else "")
        raise ConfigError(f"baseline: no group {baseline!r}; expected one of {listed}")
    return names.index(baseline)


def _next(judged: Judged) -> int:
    assert judged.leader is not None
    place = judged.leader.place
    means = [(entry.mean, k) for k, entry in enumerate(judged.summaries) if entry.half is not None and k != place]
    pick = min if judged.measure.better == "lower" else max
    apart = [(mean, k) for mean, k in means if are_apart(judged.summaries[place], judged.summaries[k])]
    return pick(apart)[1]


def _figure(entry: Summary) -> str:
    assert entry.mean is not None
    told = with_half(entry.mean, entry.half) if entry.half is not None else compact(entry.mean)
    return f"{told} ({entry.n} seed{'s' * (entry.n != 1)})"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
