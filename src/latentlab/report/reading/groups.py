"""Groups of runs of one experiment and several seeds, named by the settings in which the groups differ."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import fsum
from typing import Any, final

from latentlab.report.reading.records import Record
from latentlab.runs.identity import canonical, config_hash, identifying

ABSENT = "—"
MAX_LETTERS = 60  # of a value in a name
FINGERPRINT = "data_fingerprint"
TESTED = "test/mse"  # which every run has

Values = Mapping[int | str, float]


@final
@dataclass(frozen=True)
class Group:
    """The runs of one experiment. name: the settings in which it differs from other groups. settings: all of them."""

    name: str
    settings: Mapping[str, Any]
    records: tuple[Record, ...]

    @property
    def complete(self) -> list[Record]:
        return [record for record in self.records if record.is_complete]

    @property
    def seeds(self) -> int:
        """The number of distinct seeds."""
        return len({record.seed_or_name for record in self.records})

    @property
    def complete_seeds(self) -> int:
        """The number of distinct seeds of complete runs."""
        return len({record.seed_or_name for record in self.complete})

    @property
    def is_conditional(self) -> bool:
        """Whether its variant is given the label of every image."""
        return any(record.is_conditional for record in self.complete)

    def values(self, *names: str) -> Values:
        """A metric or a cost of the complete runs, {seed: value}; of several runs of one seed their mean.

        names: of each run the first that it has is taken. A run without a seed counts as a
        seed of its own, named after its folder, so that it is not paired.
        """
        found = [(record.seed_or_name, record.value(*names)) for record in self.complete]
        return mean_by_seed((seed, value) for seed, value in found if value is not None)

    @property
    def seeds_with_different_metrics(self) -> dict[int, list[Record]]:
        """{seed: its complete runs}, where they were tested with different results, as by two versions."""
        by_seed: dict[int, list[Record]] = {}
        for record in self.complete:
            if record.seed is not None:
                by_seed.setdefault(record.seed, []).append(record)
        return {seed: runs for seed, runs in by_seed.items() if len({run.metrics.get(TESTED) for run in runs}) > 1}

    def setting(self, key: str) -> str:
        """The value of a key as text."""
        return shown(self.settings.get(key, ABSENT))


@final
@dataclass(frozen=True)
class Grouping:
    """The groups, and the keys in which they differ, those of the overrides first."""

    groups: tuple[Group, ...]
    keys: tuple[str, ...]

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """{name of a run: its group}."""
        return {record.name: group for group in self.groups for record in group.records}

    @cached_property
    def labels(self) -> dict[str, str]:
        """{key: its short name}."""
        return short_names(self.keys)


def grouped(records: Iterable[Record]) -> Grouping:
    """The runs whose config can be read, grouped by the config without its seed."""
    known = [record for record in records if record.settings]
    seeds = _seed_keys(known)
    by_hash: dict[str, list[Record]] = {}
    for record in known:
        by_hash.setdefault(config_hash(record.config, without=seeds), []).append(record)
    members = [tuple(sorted(some, key=_by_seed)) for found in by_hash.values() for some in _by_data(found)]
    settings = _settings([found[0] for found in members], seeds)
    keys = _distinguishing_keys(settings, known)
    pairs = sorted(zip(settings, members, strict=True), key=lambda pair: [sorting(pair[0].get(key)) for key in keys])
    names = _unique([_name(keys, own) for own, _ in pairs])
    groups = tuple(Group(name, *pair) for name, pair in zip(names, pairs, strict=True))
    return Grouping(groups, tuple(keys))


def mean_by_seed(values: Iterable[tuple[int | str, float]]) -> Values:
    """{seed: mean of its values}, so that a seed with several runs counts once."""
    by_seed: dict[int | str, list[float]] = {}
    for seed, value in values:
        by_seed.setdefault(seed, []).append(value)
    return {seed: fsum(found) / len(found) for seed, found in by_seed.items()}


def short_names(keys: Collection[str]) -> dict[str, str]:
    """{key: the part after its last dot, or the whole key where another one has the same}."""
    last = {key: key.rpartition(".")[2] for key in keys}
    counts = Counter(last.values())
    return {key: name if counts[name] == 1 else key for key, name in last.items()}


def shown(value: Any) -> str:
    """A setting as text, cut to a length that fits a table."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_LETTERS else text[: MAX_LETTERS - 1] + "…"


def first_of(names: Iterable[str], most: int) -> str:
    """The first `most` names, and the number of the others."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def sorting(value: Any) -> tuple[int, float, str]:
    """The sort key of a setting: numbers by size, then words, then None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, float(value) if abs(value) < 1e300 else 1e300, ""
    return (2, 0.0, "") if value is None else (1, 0.0, canonical(value))


def _by_seed(record: Record) -> tuple[bool, int, str]:
    return record.seed is None, record.seed or 0, record.name


def _by_data(records: Sequence[Record]) -> list[list[Record]]:
    """Runs of one config, apart where those of one seed saw different images: two files may have one name.

    Where each seed has its own images, the seed chooses the split. Apart, the fingerprint of the images
    is a setting. A run that is not complete has none, and is left with the first.
    """
    seen_by = [(record.seed_or_name, record.facts[FINGERPRINT]) for record in records if FINGERPRINT in record.facts]
    if len(set(seen_by)) == len({seed for seed, _ in seen_by}):
        return [list(records)]
    first = seen_by[0][1]
    apart: dict[str, list[Record]] = {}
    for record in records:
        seen = record.facts.get(FINGERPRINT, first)
        apart.setdefault(seen, []).append(replace(record, settings={**record.settings, "data.fingerprint": seen}))
    return list(apart.values())


def _seed_keys(records: Sequence[Record]) -> set[str]:
    """The keys of the seed: the run's own, and those such as data.seed that follow it in every run."""
    named = {key for record in records for key in record.config if "seed" in key.rpartition(".")[2]}
    return {"seed"} | {key for key in named if all(record.config.get(key) == record.seed for record in records)}


def _settings(firsts: Sequence[Record], seeds: Collection[str]) -> list[dict[str, Any]]:
    """Of each group's first run the hyperparameters, and the config's keys in which groups equal in these differ."""
    own = [{key: value for key, value in record.settings.items() if key != "seed"} for record in firsts]
    alike: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for record, settings in zip(firsts, own, strict=True):
        kind = tuple((key, canonical(value)) for key, value in sorted(settings.items()))
        alike.setdefault(kind, []).append(identifying(record.config))
    further = {key for configs in alike.values() for key in _varied(configs)} - {*seeds}
    return [
        {key: record.config[key] for key in sorted(further) if key in record.config} | settings
        for record, settings in zip(firsts, own, strict=True)
    ]


def _varied(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """{key: its canonical value in each of these} of the keys in which they differ, keys of few parts first."""
    names = sorted({key for own in settings for key in own}, key=lambda key: (key.count("."), key))
    columns = {key: [canonical(own[key]) if key in own else ABSENT for own in settings] for key in names}
    return {key: column for key, column in columns.items() if len(set(column)) > 1}


def _distinguishing_keys(settings: Sequence[Mapping[str, Any]], records: Sequence[Record]) -> list[str]:
    """The keys of the overrides that vary, and as many more as are needed for every two groups to differ.

    Where no key of the overrides varies: all keys that every group has and that do not follow from another key.
    """
    columns = _varied(settings)
    overridden = _varied([record.overrides for record in records])
    kept = [key for key, column in columns.items() if key in overridden and len({*column} - {ABSENT}) > 1]
    only_needed = bool(kept)
    for key, column in sorted(columns.items(), key=lambda item: ABSENT in item[1]):
        is_needed = len({*zip(*(columns[other] for other in kept), strict=True)}) < len(settings)
        is_wanted = is_needed or not (only_needed or ABSENT in column)
        if key not in kept and is_wanted and not any(_follows(column, columns[other]) for other in kept):
            kept.append(key)
    return kept


def _follows(column: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the value of a key follows from that of another."""
    return len({*zip(other, column, strict=True)}) == len({*other})


def _unique(names: Sequence[str]) -> list[str]:
    """The names, with numbers after those that occur again."""
    return [name if (n := names[:k].count(name)) == 0 else f"{name} ({n + 1})" for k, name in enumerate(names)]


def _name(keys: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Settings of a config group by their value, such as VAE; others as key=value; absent ones are left out."""
    if not keys:
        return shown(settings.get("model", "all runs"))
    words = []
    for key, name in short_names(keys).items():
        if key in settings:
            value = shown(settings[key])
            words.append(value if "." not in key else f"{name}={value}")
    return " ".join(words) or "the rest"
