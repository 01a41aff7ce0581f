"""A search's trials as recorded in `search.json`: the values drawn, the results, and which trials are the best."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any, final

from latentlab.report.reading.groups import ABSENT, Group, Grouping, short_names, shown
from latentlab.report.statistics.intervals import Better
from latentlab.report.statistics.measures import compact
from latentlab.runs.documents import Damaged, json_of, lies_within, number
from latentlab.runs.layout import SEARCH

DIRECTIONS: Mapping[str, Better] = {"minimize": "lower", "maximize": "higher"}
# Optuna's name of a trial's state -> the status of its run
TRIAL_STATUSES = {name: name for name in ("complete", "pruned", "fail", "running", "waiting")} | {"fail": "failed"}
MAX_TRIALS, MAX_OBJECTIVES, MAX_KEYS = 5000, 6, 60


@final
@dataclass(frozen=True)
class Trial:
    """One trial.

    status: a value of `TRIAL_STATUSES`. folder: of its run, within the sweep's, empty where there is none.
    values: by objective, of a complete one.
    """

    number: int
    status: str
    folder: str
    params: Mapping[str, Any]
    values: tuple[float, ...]
    reason: str


@final
@dataclass(frozen=True)
class Search:
    """objectives: {metric: whether lower or higher is better}. importance: {metric: {key: fraction}}."""

    objectives: Mapping[str, Better]
    trials: tuple[Trial, ...]
    importance: Mapping[str, Mapping[str, float]]

    @cached_property
    def complete(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.status == "complete"]

    @cached_property
    def labels(self) -> dict[str, str]:
        """{key drawn: its short name}, in the order in which the trials have them."""
        return short_names(dict.fromkeys(key for trial in self.trials for key in trial.params))

    @cached_property
    def best_numbers(self) -> set[int]:
        """The numbers of the best trials."""
        return {trial.number for trial in self.best()}

    def drawn(self, trial: Trial) -> str:
        """The values drawn for a trial, as text."""
        return ", ".join(f"{self.labels[key]}={shown(value)}" for key, value in trial.params.items())

    def values(self, trial: Trial) -> str:
        """The values of a complete trial, as text: "val/mse 0.1"."""
        return ", ".join(f"{name} {compact(value)}" for name, value in zip(self.objectives, trial.values, strict=True))

    def described(self, trial: Trial) -> str:
        """A complete trial in one line: its number, its values, and what was drawn."""
        return f"trial {trial.number}: {self.values(trial)}; {self.drawn(trial)}"

    def cost(self, trial: Trial, objective: int) -> float:
        """The value of an objective, with the sign that makes lower better."""
        better = list(self.objectives.values())[objective]
        return trial.values[objective] if better == "lower" else -trial.values[objective]

    def front(self, objectives: Sequence[int]) -> list[Trial]:
        """The Pareto front of these objectives: complete trials that no other dominates, equal draws once.

        Ordered by the first of the objectives, the best first.
        """
        costs = {trial.number: [self.cost(trial, k) for k in objectives] for trial in self.complete}
        front: list[Trial] = []
        for trial in sorted(self.complete, key=lambda trial: (costs[trial.number], trial.number)):
            own, others = costs[trial.number], [costs[other.number] for other in front]
            dominated = any(all(a <= b for a, b in zip(c, own, strict=True)) and c != own for c in others)
            if not dominated and not any(trial.params == other.params for other in front):
                front.append(trial)
        return front

    def ordered(self, grouping: Grouping) -> Grouping:
        """The groups by the first objective, the best first; those without a value last."""
        costs = {trial.folder: self.cost(trial, 0) for trial in self.complete}

        def least(group: Group) -> float:
            return min(costs.get(record.name, inf) for record in group.records)

        return replace(grouping, groups=tuple(sorted(grouping.groups, key=least)))

    def best(self) -> list[Trial]:
        """The best trial, or with several objectives their Pareto front."""
        found = self.front(range(len(self.objectives)))
        return found if len(self.objectives) > 1 else found[:1]


def read_search(folder: Path) -> tuple[Search | None, list[str]]:
    """The search of a sweep's folder, None where there is none; and notes on what is damaged."""
    if not (folder / SEARCH).exists():
        return None, []
    try:
        content = json_of(folder / SEARCH)
        objectives = _objectives(content.get("objectives"))
        listed = content.get("trials")
        if not isinstance(listed, list):
            raise Damaged(f"{SEARCH} is damaged (its trials are not a list)")
    except Damaged as error:
        return None, [f"{error}: the search is not shown"]
    found = [_trial(entry, len(objectives), folder) for entry in listed[:MAX_TRIALS]]
    trials = {trial.number: trial for trial in found if trial is not None}
    skipped = len(found) - len(trials)
    notes = [f"{SEARCH} is damaged ({skipped} of {len(found)} trials were skipped)"] if skipped else []
    if len(listed) > MAX_TRIALS:
        notes.append(f"the first {MAX_TRIALS:,} of {len(listed):,} trials are shown")
    ordered = _with_numbers([trials[number] for number in sorted(trials)])
    return Search(objectives, tuple(ordered), _importance(content.get("importance"), objectives)), notes


def _objectives(content: object) -> dict[str, Better]:
    if not isinstance(content, dict) or not 0 < len(content) <= MAX_OBJECTIVES:
        found = len(content) if isinstance(content, dict) else "no"
        raise Damaged(f"{SEARCH} is damaged (expected 1 to {MAX_OBJECTIVES} objectives, found {found})")
    if not all(isinstance(value, str) and value in DIRECTIONS for value in content.values()):
        raise Damaged(f"{SEARCH} is damaged (an objective is neither minimised nor maximised)")
    return {name: DIRECTIONS[value] for name, value in content.items()}


def _trial(entry: object, objectives: int, folder: Path) -> Trial | None:
    """None where the entry is damaged."""
    if not isinstance(entry, dict):
        return None
    index, status, params = entry.get("number"), TRIAL_STATUSES.get(str(entry.get("state"))), entry.get("params")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 10**9:
        return None
    if status is None or not isinstance(params, dict) or len(params) > MAX_KEYS:
        return None
    values = _values(entry.get("values")) if status == "complete" else ()
    if status == "complete" and len(values) != objectives:
        return None
    own, reason = entry.get("folder"), entry.get("reason")
    own = Path(own).as_posix() if isinstance(own, str) and lies_within(own, folder) else ""
    return Trial(index, status, own, params, values, reason if isinstance(reason, str) else "")


def _values(content: object) -> tuple[float, ...]:
    found = [number(value) for value in content] if isinstance(content, list) else []
    return tuple(value for value in found if value is not None) if None not in found else ()


def _importance(content: object, objectives: Iterable[str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name in objectives:
        values = content.get(name) if isinstance(content, dict) else None
        pairs = [(key, number(value)) for key, value in values.items()] if isinstance(values, dict) else []
        found[name] = {key: min(value, 1.0) for key, value in pairs[:MAX_KEYS] if value is not None and value >= 0}
    return found


def _with_numbers(trials: Sequence[Trial]) -> list[Trial]:
    """Options that are all numbers, such as "1e-06", become numbers; null becomes `ABSENT`."""
    with_words = {key for trial in trials for key, value in trial.params.items() if _as_number(value) is None}

    def typed(key: str, value: Any) -> Any:
        if value is None:
            return ABSENT
        return _as_number(value) if isinstance(value, str) and key not in with_words else value

    return [replace(t, params={key: typed(key, value) for key, value in t.params.items()}) for t in trials]


def _as_number(value: Any) -> float | None:
    try:
        return number(float(value) if isinstance(value, str) else value)
    except ValueError:
        return None
