"""What the page's filter compares `key=value` with: the settings and metrics of each run, group and trial."""

import json
from collections.abc import Sequence
from math import fsum
from typing import Any

from latentlab.report.comparisons import Comparison
from latentlab.report.content import Content
from latentlab.report.reading.groups import Group, Values, shown
from latentlab.report.reading.records import COST_KEYS, Record
from latentlab.report.reading.trials import Search, Trial
from latentlab.runs.documents import number
from latentlab.runs.identity import canonical

Entry = dict[str, Any]  # {key: number or text}
OWN = ("seed", "status")  # keys that every run has


def filter_values(content: Content) -> str:
    """A JSON object for the page's script.

    columns: the keys that the tables and the parallel axes show. shared: the values that all groups have in common.
    groups: of each its other settings, and its metrics, means over seeds. runs: of each its group's number, or null,
    and its own values. trials: {number: the number of its run}; a trial whose run is not known counts as a further run.
    """
    groups, search = content.grouping.groups, content.runs.search
    group_of = {record.name: index for index, group in enumerate(groups) for record in group.records}
    runs = [(group_of.get(record.name), _of_run(record, content.main)) for record in content.runs.records]
    for (group, own), record in zip(runs, content.runs.records, strict=True):
        if group is None:
            own.update(record.overrides)
    shared, settings = _settings(groups)
    means = [_means(group, index, content.main) for index, group in enumerate(groups)]
    return json.dumps(
        {
            "columns": [*content.grouping.keys, *OWN, *_measured(content), *(search.labels if search else ())],
            "shared": shared,
            "groups": [{"settings": own, "metrics": of_group} for own, of_group in zip(settings, means, strict=True)],
            "trials": _trials(search, content.runs.records, runs) if search else {},
            "runs": runs,
        }
    )


def _measured(content: Content) -> list[str]:
    objectives = content.runs.search.objectives if content.runs.search is not None else ()
    return [*dict.fromkeys([*(entry.measure.key for entry in content.main), *COST_KEYS, *objectives])]


def _of_run(record: Record, main: Sequence[Comparison]) -> Entry:
    metrics = {entry.measure.key: record.metrics.get(entry.measure.key) for entry in main}
    found = {**metrics, **record.costs, "seed": record.seed, "status": record.status}
    return {key: value for key, value in found.items() if value is not None}


def _means(group: Group, index: int, main: Sequence[Comparison]) -> Entry:
    costs = {key: _mean(values) for key in COST_KEYS if (values := group.values(key))}
    metrics = {entry.measure.key: entry.summaries[index].mean for entry in main}
    return costs | {key: mean for key, mean in metrics.items() if mean is not None}


def _mean(values: Values) -> float:
    return fsum(values.values()) / len(values)


def _settings(groups: Sequence[Group]) -> tuple[Entry, list[Entry]]:
    """The settings that all groups have in common, and the others of each."""
    first, *others = [group.settings for group in groups] or [{}]
    texts = {key: canonical(value) for key, value in first.items()}
    shared = {key for key in first if all(key in own and canonical(own[key]) == texts[key] for own in others)}
    return (
        {key: _plain(first[key]) for key in first if key in shared},
        [{key: _plain(value) for key, value in group.settings.items() if key not in shared} for group in groups],
    )


def _trials(search: Search, records: Sequence[Record], runs: list[tuple[int | None, Entry]]) -> dict[int, int]:
    """{number of a trial: the number of its run}; the runs get what the trials know of them."""
    numbers = {record.name: index for index, record in enumerate(records)}
    found = {}
    for trial in search.trials:
        if trial.folder not in numbers:
            runs.append((None, {"status": trial.status}))
        found[trial.number] = numbers.get(trial.folder, len(runs) - 1)
        runs[found[trial.number]][1].update(_of_trial(trial, search))
    return found


def _of_trial(trial: Trial, search: Search) -> Entry:
    values = dict(zip(search.objectives, trial.values, strict=True)) if trial.values else {}
    return {key: _plain(value) for key, value in trial.params.items()} | values | {"trial": trial.number}


def _plain(value: Any) -> float | str:
    found = number(value)
    return shown(value) if found is None else found
