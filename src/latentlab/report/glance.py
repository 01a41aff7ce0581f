"""The report's first screen: questions answered by one table over the groups, and pictures side by side."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from latentlab.report.comparable import Comparability
from latentlab.report.comparisons import Comparison, comparison
from latentlab.report.pictures import Gallery, Picture
from latentlab.report.questions import PICTURES, QUESTIONS, Question
from latentlab.report.reading.groups import Group
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.statistics.measures import fixed

FEWEST_GROUPS, MOST_GROUPS = 2, 6  # whose columns fit a screen
COVERED = {"none": ("none",), "quick": ("none", "quick"), "full": ("none", "quick", "full")}
RULES = {"intervals": "the intervals are apart", "paired": "paired differences exclude 0"}


@final
@dataclass(frozen=True)
class Row:
    """A question with the metrics that answer it.

    absent: by group, why it has no metric; empty where it has one. answer: in words, beside the name of the best group
    where one is marked.
    """

    question: Question
    found: Comparison
    absent: tuple[str, ...]
    answer: str


@final
@dataclass(frozen=True)
class Glance:
    """pictures: (heading, name, a picture per group in the order of the groups).

    missing: a line on the questions for which some run was not measured, and the command that does it; or empty.
    """

    rows: list[Row]
    pictures: list[tuple[str, str, list[Picture]]]
    missing: str


def glance(
    groups: Sequence[Group], runs: RunSet, pictures: Gallery, comparability: Comparability
) -> tuple[Glance | None, Gallery]:
    """What the first screen shows, and the pictures that are left for the rest of the page.

    None for a search, and for groups that are too few to compare, too many for a screen, or without any metric.
    """
    if runs.search is not None or not FEWEST_GROUPS <= len(groups) <= MOST_GROUPS:
        return None, pictures
    rows = [row for question in QUESTIONS if (row := _row(question, groups, comparability)) is not None]
    if not rows:
        return None, pictures
    shown = [(heading, key, _by_group(pictures, key)) for heading, key in _chosen(groups, pictures)]
    taken = {key for _, key, _ in shown}
    rest = replace(pictures, rows=[(key, row) for key, row in pictures.rows if key not in taken])
    return Glance(rows, shown, _missing(groups, runs)), rest


def _row(question: Question, groups: Sequence[Group], comparability: Comparability) -> Row | None:
    """None where no group has a metric, or a group has none for a question that is asked of all."""
    values = [group.values(*question.metrics) if _is_asked(question, group) else {} for group in groups]
    if not any(values) or (question.of_all and not all(values)):
        return None
    found = comparison(question.measure, values, not_compared=comparability.why_not(question.measure.key))
    absent = tuple("" if own else _why_absent(group, question) for group, own in zip(groups, values, strict=True))
    return Row(question, found, absent, _answer(found, groups))


def _is_asked(question: Question, group: Group) -> bool:
    return not (question.of_unconditional and group.is_conditional)


def _why_absent(group: Group, question: Question) -> str:
    if not group.complete:
        return "no complete run"
    if not _is_asked(question, group):
        return "its decoder is given the label"
    reasons = (record.skipped.get(question.measurement) for record in group.complete)
    return next(filter(None, reasons), "not measured")


def _answer(found: Comparison, groups: Sequence[Group]) -> str:
    """The answer in words; where a group is marked as the best, the rule by which it is."""
    first = found.leader
    if found.measure.better is None:
        return _range(found, groups)
    if first is None:
        return f"not compared: {found.not_compared}"
    if first.rule is not None:
        return RULES[first.rule]
    best, near = groups[first.index].name, [groups[index].name for index in first.undecided]
    if len(found.means) == 1:
        return f"{best} alone has this metric"
    if found.summaries[first.index].half is None:
        return f"best value: {_listed([best, *near])}; one seed: no interval"
    if not near:
        return f"best mean: {best}; one seed of the others: no interval"
    if len(near) == len(found.means) - 1:
        return "no difference shown"
    return f"best mean: {best}; no difference shown from {_listed(near)}"


def _range(found: Comparison, groups: Sequence[Group]) -> str:
    """The least and the largest mean, of a metric of which neither is better."""
    both = zip(found.summaries, groups, strict=True)
    means = [(entry.mean, group.name) for entry, group in both if entry.mean is not None]
    ends = [f"{fixed(mean, found.decimals)} ({name})" for mean, name in (min(means), max(means))]
    return " to ".join(ends) if len({*found.means}) > 1 else "all alike"


def _listed(names: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _missing(groups: Sequence[Group], runs: RunSet) -> str:
    complete = [record for group in groups for record in group.complete]
    missing = [question.text for question in QUESTIONS if not all(_is_measured(run, question) for run in complete)]
    if not missing:
        return ""
    again = f"The sweep's command with evaluate=full sweep.name={shlex.quote(runs.name)} measures them."
    remedy = again if runs.commands else "latentlab evaluate RUN suite=full measures a run."
    return f"Not every run was measured for: {' '.join(missing)} {remedy}"


def _is_measured(record: Record, question: Question) -> bool:
    """Whether its evaluation included the question's measurement, even if that does not apply to it."""
    return question.suite in COVERED.get(record.suite, ()) or record.value(*question.metrics) is not None


def _chosen(groups: Sequence[Group], pictures: Gallery) -> list[tuple[str, str]]:
    """(heading, name) of the pictures: of each kind the first that all groups have, or else that any has."""
    of = {key: len(row) for key, row in pictures.rows}
    found = []
    for heading, keys in PICTURES:
        if there := [key for key in keys if key in of]:
            found.append((heading, next((key for key in there if of[key] == len(groups)), there[0])))
    return found


def _by_group(pictures: Gallery, key: str) -> list[Picture]:
    return sorted(dict(pictures.rows)[key], key=lambda picture: picture.group)
