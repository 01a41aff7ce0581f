"""A run's folder as one frozen record: what a report needs of it, and what of it was damaged."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from latentlab.runs.documents import Damaged, json_object, json_of, number, text_of, yaml_of
from latentlab.runs.hyperparameters import hyperparameters
from latentlab.runs.identity import flat
from latentlab.runs.lock import is_held

STATUSES = ("complete", "running", "interrupted", "failed", "pruned")
COSTS = ("train_seconds", "test_seconds", "wall_seconds", "epochs", "steps", "parameters")
FACTS = ("data", "data_fingerprint", "device", "git_revision")
MOST_LINES = 100_000
PNG_BEGINS, PNG_ENDS = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

Curve = tuple[tuple[float, float], ...]


@final
@dataclass(frozen=True)
class Record:
    """What is known of one run.

    name: its folder as the report calls it. status: one of `STATUSES`, or "missing", "damaged", "unknown".
    config: the whole resolved config, flat; settings: what tells experiments apart, with the seed.
    metrics: the final figures, None where not finite; of a complete run alone. curves: name -> (epoch, value)s.
    """

    name: str
    folder: Path
    status: str
    reason: str = ""
    seed: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    pictures: Mapping[str, Path] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    damage: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.status == "complete"


def is_run(folder: Path) -> bool:
    """Whether the folder holds anything that a run leaves."""
    return any(os.path.isfile(folder / name) for name in (".hydra/resolved.yaml", "status.json", "metrics.json"))


def read_record(folder: Path, name: str, overrides: list[str] | None = None) -> Record:
    """Read a run's folder; never raises: what is damaged is named in the record.

    overrides: those of its job, such as "seed=0", where they are known; else the folder's own.
    """
    given = _assignments(overrides if overrides is not None else [])
    if not is_run(folder):
        return Record(name, folder, "missing", "its folder holds no run", overrides=given)
    damage: list[str] = []
    config, settings = _config(folder, damage)
    final_figures = _metrics(folder, damage)
    status, reason = _status(folder, final_figures is not None, damage)
    if not settings and status == "complete":
        status = "damaged"
    figures = (final_figures or {}) if status == "complete" else {}
    seed = config.get("seed", (final_figures or {}).get("seed"))
    return Record(
        name,
        folder,
        status,
        reason or ("; ".join(damage) if status == "damaged" else ""),
        seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        config,
        settings,
        given if overrides is not None else _own_overrides(folder),
        _numbers(figures.get("metrics"), damage),
        _curves(folder, damage),
        _pictures(folder, damage),
        {key: value for key in COSTS if (value := number(figures.get(key))) is not None},
        _facts(figures),
        tuple(damage),
    )


def _config(folder: Path, damage: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        content = yaml_of(folder / ".hydra" / "resolved.yaml")
        settings = hyperparameters(content)
        return flat(content), settings
    except Damaged as error:
        damage.append(str(error))
    except (KeyError, TypeError, ValueError, AttributeError):
        damage.append("resolved.yaml is damaged (no config of a run)")
    return {}, {}


def _metrics(folder: Path, damage: list[str]) -> dict[str, Any] | None:
    if not (folder / "metrics.json").exists():
        return None
    try:
        return json_of(folder / "metrics.json")
    except Damaged as error:
        damage.append(str(error))
        return None


def _status(folder: Path, has_figures: bool, damage: list[str]) -> tuple[str, str]:
    """As status.json says, in agreement with whether there are final figures."""
    told: dict[str, Any] = {}
    if (folder / "status.json").exists():
        try:
            told = json_of(folder / "status.json")
        except Damaged as error:
            damage.append(str(error))
    status, reason = told.get("status"), told.get("reason")
    reason = reason if isinstance(reason, str) else ""
    if status not in STATUSES:
        if told:
            damage.append(f"status.json is damaged (status {str(status)[:40]!r})")
        status = "complete" if has_figures else "damaged" if damage else "unknown"
    if status == "running" and not is_held(folder):
        return "interrupted", "its process ended without a word"
    if status == "complete" and not has_figures:
        if not any(line.startswith("metrics.json") for line in damage):
            damage.append("metrics.json is missing, though status.json says complete")
        status = "damaged"
    return status, reason


def _numbers(content: object, damage: list[str]) -> dict[str, float | None]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        damage.append("metrics.json is damaged (its metrics are no object)")
        return {}
    strange = [name for name, value in content.items() if value is not None and not isinstance(value, int | float)]
    if strange:
        damage.append(f"metrics.json is damaged ({strange[0][:60]} is no number)")
    return {str(name): number(value) for name, value in content.items() if name not in strange}


def _facts(figures: Mapping[str, Any]) -> dict[str, str]:
    facts = {key: str(figures[key]) for key in FACTS if figures.get(key) is not None}
    versions = figures.get("versions")
    if isinstance(versions, dict):
        facts["versions"] = ", ".join(f"{package} {version}" for package, version in versions.items())
    return facts


def _curves(folder: Path, damage: list[str]) -> dict[str, Curve]:
    """Of history.jsonl: an epoch's lines together, of two values the later; an unfinished last line is left out."""
    file = folder / "history.jsonl"
    if not file.exists():
        return {}
    try:
        lines = text_of(file).split("\n")
    except Damaged as error:
        damage.append(str(error))
        return {}
    epochs: dict[float, dict[str, Any]] = {}
    bad = len(lines) > MOST_LINES
    for place, line in enumerate(lines[:MOST_LINES]):
        if not line.strip():
            continue
        try:
            row = json_object(line, file.name)
            epoch = number(row.get("epoch"))
        except Damaged:
            epoch = None
        if epoch is not None:
            epochs[epoch] = epochs.get(epoch, {}) | row
        elif place < len(lines) - 1:
            bad = True
    if bad:
        damage.append("history.jsonl is damaged (some lines were left out)")
    return _by_name(epochs)


def _by_name(epochs: Mapping[float, Mapping[str, Any]]) -> dict[str, Curve]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for epoch, row in sorted(epochs.items()):
        for name, value in row.items():
            if "/" in name and (found := number(value)) is not None:
                curves.setdefault(name, []).append((epoch, found))
    return {name: tuple(points) for name, points in curves.items()}


def _pictures(folder: Path, damage: list[str]) -> dict[str, Path]:
    """The run's own that begin and end as a PNG file does; links are left out, as they could lead anywhere."""
    found = {}
    for file in sorted((folder / "figures").glob("*.png")):
        if file.is_symlink() or not file.is_file():
            continue
        if _is_whole_png(file):
            found[file.stem] = file
        else:
            damage.append(f"figures/{file.name} is damaged (no whole PNG)")
    return found


def _is_whole_png(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(PNG_BEGINS)) == PNG_BEGINS
            stream.seek(-len(PNG_ENDS), 2)
            return begins and stream.read() == PNG_ENDS
    except OSError:
        return False


def _own_overrides(folder: Path) -> dict[str, str]:
    try:
        content = yaml_of(folder / ".hydra" / "overrides.yaml")
    except Damaged:
        return {}  # they only say which keys were meant to vary
    return _assignments([line for line in content if isinstance(line, str)] if isinstance(content, list) else [])


def _assignments(overrides: list[str]) -> dict[str, str]:
    """{"model.penalty": "topk"} of "model/penalty=topk"."""
    pairs = (line.partition("=") for line in overrides)
    return {key.lstrip("+~").partition("@")[0].replace("/", "."): value for key, _, value in pairs if key}
