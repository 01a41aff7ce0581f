"""Runs of one config and several seeds, named by the settings that tell the groups apart."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any, final

from latentlab.report.reading.records import Record
from latentlab.runs.hyperparameters import MACHINERY
from latentlab.runs.identity import PASSING

PLACES = ("data.root", "trainer.default_root_dir")
ABSENT = "—"
LONGEST = 60  # letters of a value in a name

Values = Mapping[int | str, float]


@final
@dataclass(frozen=True)
class Group:
    """The runs of one config. settings: all of it that is compared; name: what tells it from the others."""

    name: str
    settings: Mapping[str, Any]
    records: tuple[Record, ...]
    cache: dict[str, Values] = field(default_factory=dict, compare=False, repr=False)

    @property
    def complete(self) -> list[Record]:
        return [record for record in self.records if record.is_complete]

    def values(self, name: str) -> Values:
        """A figure or a cost of the complete runs, {seed: value}; runs of one seed give their mean.

        A run without a seed stands under its folder's name, and pairs with no other.
        """
        if name not in self.cache:
            by_seed: dict[int | str, list[float]] = {}
            for record in self.complete:
                value = record.metrics.get(name, record.costs.get(name))
                if value is not None:
                    by_seed.setdefault(record.name if record.seed is None else record.seed, []).append(value)
            self.cache[name] = {seed: fsum(found) / len(found) for seed, found in by_seed.items()}
        return self.cache[name]

    def setting(self, key: str) -> str:
        """The value as text."""
        return shown(self.settings[key]) if key in self.settings else ABSENT


@final
@dataclass(frozen=True)
class Grouping:
    """The groups, and the keys that tell them apart, those that were asked to vary first."""

    groups: tuple[Group, ...]
    keys: tuple[str, ...]

    def label(self, key: str) -> str:
        """The key's last part, where no other key has the same."""
        return short_key(key, self.keys)


def grouped(records: Iterable[Record]) -> Grouping:
    """The runs whose config can be read, by that config without its seed."""
    known = [record for record in records if record.settings]
    extra = _further_keys(known)
    by_key: dict[tuple[str, ...], list[Record]] = {}
    for record in known:
        by_key.setdefault(_key(record, extra), []).append(record)
    ordered = [sorted(members, key=_place) for members in by_key.values()]
    settings = [_settings(members[0], extra) for members in ordered]
    keys = _telling(settings, ordered)
    grouping = Grouping((), tuple(keys))
    pairs = sorted(
        zip(settings, ordered, strict=True), key=lambda pair: tuple(sorting(pair[0].get(key)) for key in keys)
    )
    names = _unique([_name(grouping, chosen) for chosen, _ in pairs])
    groups = [Group(name, pair[0], tuple(pair[1])) for name, pair in zip(names, pairs, strict=True)]
    return Grouping(tuple(groups), tuple(keys))


def short_key(key: str, keys: Iterable[str]) -> str:
    """The key's last part, where no other of the keys has the same."""
    last = key.rpartition(".")[2]
    return last if sum(other.rpartition(".")[2] == last for other in keys) == 1 else key


def canonical(value: Any) -> str:
    """Equal for equal settings: 1 and 1.0 are one value."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        value = float(value)
    return json.dumps(value, sort_keys=True, default=str)


def shown(value: Any) -> str:
    """A setting as text, in a length that fits a table."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def sorting(value: Any) -> tuple[int, float, str]:
    """Numbers by size, before words, before what is absent."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, float(value) if abs(value) < 1e300 else 1e300, ""
    return (2, 0.0, "") if value is None else (1, 0.0, canonical(value))


def _place(record: Record) -> tuple[bool, int, str]:
    return record.seed is None, record.seed or 0, record.name


def _key(record: Record, extra: Sequence[str]) -> tuple[str, ...]:
    chosen = _settings(record, extra)
    return tuple(f"{key}={canonical(value)}" for key, value in sorted(chosen.items()))


def _settings(record: Record, extra: Sequence[str]) -> dict[str, Any]:
    own = {key: value for key, value in record.settings.items() if key != "seed"}
    return own | {key: record.config[key] for key in extra if key in record.config}


def _further_keys(records: Sequence[Record]) -> list[str]:
    """Keys of the configs beyond the settings in which runs of otherwise equal settings differ."""
    by_key: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        by_key.setdefault(_key(record, ()), []).append(record)
    found: set[str] = set()
    for members in by_key.values():
        first = members[0].config
        for other in members[1:]:
            keys = first.keys() | other.config.keys()
            found |= {key for key in keys - found if first.get(key) != other.config.get(key)}
    return sorted(key for key in found if _is_further(key, records))


def _is_further(key: str, records: Sequence[Record]) -> bool:
    parts = key.split(".")
    if parts[0] in PASSING or key in PLACES or key == "seed":
        return False
    if key in records[0].settings or (set(parts) & {*MACHINERY} - {"encoder", "decoder"}):
        return False
    # a seed of the data or of a part that merely follows the run's
    return not all(record.config.get(key) == record.seed for record in records)


def _telling(settings: Sequence[Mapping[str, Any]], members: Sequence[Sequence[Record]]) -> list[str]:
    """The keys that were asked to vary and do, and as many more as tell every group from every other."""
    names = sorted({key for chosen in settings for key in chosen}, key=lambda key: (key.count("."), key))
    columns = {key: [canonical(c[key]) if key in c else ABSENT for c in settings] for key in names}
    varied = {key: column for key, column in columns.items() if len(set(column)) > 1}
    asked = _asked([record for records in members for record in records])
    kept = [key for key in varied if key in asked and len(set(varied[key]) - {ABSENT}) > 1]
    seen = _classes([varied[key] for key in kept], len(settings))
    by_presence = sorted(varied, key=lambda key: ABSENT in varied[key])  # what all have tells more
    was_asked = bool(kept)
    for key in by_presence:
        told_apart = len(set(seen)) == len(settings)
        if key in kept or (told_apart and (was_asked or ABSENT in varied[key])):
            continue
        if any(_follows(varied[key], varied[other]) for other in kept):
            continue
        kept.append(key)
        seen = _classes([seen, varied[key]], len(settings))
    return kept


def _follows(column: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a key's value is settled by that of another."""
    return len({*zip(other, column, strict=True)}) == len({*other})


def _asked(records: Sequence[Record]) -> set[str]:
    keys = {key for record in records for key in record.overrides}
    return {key for key in keys if len({record.overrides.get(key) for record in records}) > 1}


def _classes(columns: Sequence[Sequence[Any]], count: int) -> list[tuple[Any, ...]]:
    return [tuple(column[place] for column in columns) for place in range(count)]


def _unique(names: Sequence[str]) -> list[str]:
    """Values that are shown alike are numbered."""
    return [name if (n := names[:k].count(name)) == 0 else f"{name} ({n + 1})" for k, name in enumerate(names)]


def _name(grouping: Grouping, settings: Mapping[str, Any]) -> str:
    """Groups of a config by their value alone, such as VAE; other keys as key=value; absent ones not at all."""
    if not grouping.keys:
        return shown(settings.get("model", "all runs"))
    parts = []
    for key in grouping.keys:
        if key in settings:
            value = shown(settings[key])
            parts.append(value if "." not in key else f"{grouping.label(key)}={value}")
    return " ".join(parts) or "the rest"
