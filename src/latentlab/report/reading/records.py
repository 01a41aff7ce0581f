"""A run's folder as one frozen record: what a report needs of it, and which of its files are damaged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, final

from latentlab.runs import Run
from latentlab.runs.documents import Damaged, number
from latentlab.runs.hyperparameters import hyperparameters
from latentlab.runs.identity import flat, override_key
from latentlab.runs.layout import FIGURES, HISTORY, METRICS, STATUS
from latentlab.runs.run import NUMBER
from latentlab.runs.stamp import FORMAT

COST_KEYS = ("train_seconds", "test_seconds", "wall_seconds", "epochs", "steps", "parameters")
REVISION_DIGITS = 12
FACTS = ("data", "data_fingerprint", "device", "threads", "git_revision", "condition")
CONDITIONAL = "latentlab.models.cvae.CVAE"  # runs of earlier versions do not record the condition
PNG_BEGINS, PNG_ENDS = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

Curve = tuple[tuple[float, float], ...]
T = TypeVar("T")


@final
@dataclass(frozen=True)
class Record:
    """What is known of one run.

    name: its folder's, as the report shows it. status: one of `STATUSES`, or "missing", "damaged", "unknown".
    config: the whole resolved config, flat; settings: the hyperparameters under short names, with the seed.
    metrics: the final metrics, None where not finite; of a complete run alone. curves: {name: (epoch, value) pairs}.
    pictures: {name: file} of the latest. by_epoch: {name: {epoch: file}} of those kept during training.
    suite: by which it was evaluated, "none" where it was not. skipped: {what of the suite does not apply to it: why}.
    partial_data: the options of the trainer by which it saw a part of the data. damage: one line per damaged file.
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
    by_epoch: Mapping[str, Mapping[int, Path]] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    suite: str = "none"
    skipped: Mapping[str, str] = field(default_factory=dict)
    partial_data: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def seed_or_name(self) -> int | str:
        """What runs are paired and counted by: of a run without a seed its name, which no other run has."""
        return self.name if self.seed is None else self.seed

    @property
    def why(self) -> str:
        """Its status's reason and its damage in one line; empty where there is neither."""
        return "; ".join(dict.fromkeys(filter(None, [self.reason, *self.damage])))

    def value(self, *names: str) -> float | None:
        """The first of these metrics and costs that it has; None where it has none."""
        found = (self.metrics.get(name, self.costs.get(name)) for name in names)
        return next((value for value in found if value is not None), None)

    @property
    def is_conditional(self) -> bool:
        """Whether its variant is given the label of every image."""
        return "condition" in self.facts or self.config.get("model._target_") == CONDITIONAL

    @property
    def is_complete(self) -> bool:
        return self.status == "complete"


def read_record(folder: Path, name: str, overrides: list[str] | None = None) -> Record:
    """Read a run's folder; damaged files are named in the record, and raise nothing.

    overrides: those of its job, such as "seed=0", where they are known; else the folder's own.
    """
    run = Run(folder)
    # the run's own overrides only choose the keys that name its group: damage in them is not reported
    given = _assignments(overrides if overrides is not None else _collected(run.read_overrides, []) or [])
    if not run.holds_anything:
        return Record(name, folder, "missing", "its folder holds no run", overrides=given)
    damage: list[str] = []
    config, settings = _config(run, damage)
    final = _collected(lambda: _final(run), damage)
    status, reason = _status(run, final is not None, damage)
    if not settings and status == "complete":
        status = "damaged"
    content = (final or {}) if status == "complete" else {}
    seed = config.get("seed", (final or {}).get("seed"))
    return Record(
        name,
        folder,
        status,
        reason or ("; ".join(damage) if status == "damaged" else ""),
        seed if isinstance(seed, int) and not isinstance(seed, bool) else None,
        config,
        settings,
        given,
        _numbers(content.get("metrics"), damage),
        _curves(run, damage),
        _pictures(run, damage),
        _by_epoch(run, damage),
        {key: value for key in COST_KEYS if (value := number(content.get(key))) is not None},
        _facts(content),
        *_evaluation(content),
        tuple(map(str, partial)) if isinstance(partial := content.get("partial_data"), list) else (),
        tuple(damage),
    )


def _evaluation(content: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The suite, and what of it was skipped, of the content of `metrics.json`."""
    found = content.get("evaluation")
    if not isinstance(found, dict):
        return "none", {}
    skipped = found.get("skipped")
    reasons = skipped.items() if isinstance(skipped, dict) else ()
    return str(found.get("suite", "none")), {str(name): str(reason) for name, reason in reasons}


def _collected(read: Callable[[], T], damage: list[str]) -> T | None:
    """What `read` returns; None where it is damaged, which is added to `damage`."""
    try:
        return read()
    except Damaged as error:
        damage.append(str(error))
        return None


def _final(run: Run) -> dict[str, Any] | None:
    """The content of `metrics.json`; raises Damaged, also where another version wrote it in another format."""
    content = run.read_metrics()
    if content is not None and content.get("format", FORMAT) != FORMAT:
        raise Damaged(f"{METRICS} has format {str(content['format'])[:20]}, this latentlab reads format {FORMAT}")
    return content


def _config(run: Run, damage: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        content = run.read_config()
        return flat(content), hyperparameters(content)
    except Damaged as error:
        damage.append(str(error))
    except (KeyError, TypeError, ValueError, AttributeError):
        damage.append(f"{run.config_file.name} is damaged (no config of a run)")
    return {}, {}


def _status(run: Run, has_metrics: bool, damage: list[str]) -> tuple[str, str]:
    """(status, reason) of status.json, made consistent with whether there are final metrics."""
    status, reason = _collected(run.read_status, damage) or ("unknown", "")
    if status == "unknown":
        status = "complete" if has_metrics else "damaged" if damage else "unknown"
    if status == "complete" and not has_metrics:
        if not any(line.startswith(METRICS) for line in damage):
            damage.append(f"{METRICS} is missing, though {STATUS} says complete")
        status = "damaged"
    return status, reason


def _numbers(content: object, damage: list[str]) -> dict[str, float | None]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        damage.append(f"{METRICS} is damaged (its metrics are not an object)")
        return {}
    strange = [name for name, value in content.items() if not isinstance(value, NUMBER) or isinstance(value, bool)]
    if strange:
        damage.append(f"{METRICS} is damaged ({strange[0][:60]} is not a number)")
    return {str(name): number(value) for name, value in content.items() if isinstance(value, NUMBER)}


def _facts(content: Mapping[str, Any]) -> dict[str, str]:
    facts = {key: str(content[key]) for key in FACTS if content.get(key) is not None}
    if (revision := facts.get("git_revision", "")) and len(revision) > REVISION_DIGITS:
        is_changed = revision.endswith("+")  # a checkout with changes
        facts["git_revision"] = revision[:REVISION_DIGITS] + "+" * is_changed
    versions = content.get("versions")
    if isinstance(versions, dict):
        facts["versions"] = ", ".join(f"{package} {version}" for package, version in versions.items())
    return facts


def _curves(run: Run, damage: list[str]) -> dict[str, Curve]:
    epochs, is_damaged = _collected(run.read_history, damage) or ({}, False)
    if is_damaged:
        damage.append(f"{HISTORY} is damaged (some lines were skipped)")
    curves: dict[str, list[tuple[float, float]]] = {}
    for epoch, row in sorted(epochs.items()):
        for name, value in row.items():
            if "/" in name and (found := number(value)) is not None:
                curves.setdefault(name, []).append((epoch, found))
    return {name: tuple(points) for name, points in curves.items()}


def _pictures(run: Run, damage: list[str]) -> dict[str, Path]:
    """{name: file} of whole PNG files."""
    return {file.stem: file for file in run.figures if _can_be_shown(file, run, damage)}


def _by_epoch(run: Run, damage: list[str]) -> dict[str, dict[int, Path]]:
    """{name: {epoch: file}} of whole PNG files."""
    return {
        name: {epoch: file for epoch, file in files.items() if _can_be_shown(file, run, damage)}
        for name, files in run.figures_by_epoch.items()
        if not (run.folder / FIGURES / name).is_symlink()
    }


def _can_be_shown(file: Path, run: Run, damage: list[str]) -> bool:
    """Whether it is a whole PNG file; symbolic links are skipped, as their targets may be outside of the folder."""
    if not file.is_file() or file.is_symlink():
        return False
    is_whole = _is_whole_png(file)
    if not is_whole:
        damage.append(f"{file.relative_to(run.folder).as_posix()} is damaged (not a whole PNG)")
    return is_whole


def _is_whole_png(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(PNG_BEGINS)) == PNG_BEGINS
            stream.seek(-len(PNG_ENDS), 2)
            return begins and stream.read() == PNG_ENDS
    except OSError:
        return False


def _assignments(overrides: list[str]) -> dict[str, str]:
    """{"model.penalty": "topk"} of "model/penalty=topk"."""
    return {override_key(line): line.partition("=")[2] for line in overrides if override_key(line)}
