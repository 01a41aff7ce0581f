"""What recipes have reached, kept in a file beside the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from latentlab.errors import UserError
from latentlab.report.reading.records import Record
from latentlab.report.recorded import Recorded, RecordedMean, tolerated
from latentlab.report.results.claims import Claim, Reproduction
from latentlab.runs.documents import Damaged, json_of
from latentlab.runs.files import write_atomically


@final
@dataclass(frozen=True, kw_only=True)
class Measured:
    """The metrics of one recipe: for each of its claims, in their order, {seed: value}.

    seconds: of training, {seed: value}, a sum over the runs of a seed. command: as a shell reads it.
    """

    metrics: tuple[Mapping[str, float], ...]
    seconds: Mapping[str, float]
    command: str
    machine: str
    revision: str

    def fits(self, what: Reproduction) -> bool:
        """Whether there is a metric for each of the recipe's claims."""
        return len(self.metrics) == len(what.claims) and all(self.metrics)

    @property
    def least_seconds(self) -> float:
        """Of the fastest seed: other work on a machine slows a training down, and nothing speeds it up."""
        return min(self.seconds.values())


def measured(what: Reproduction, records: Iterable[Record], command: str, machine: str) -> Measured:
    """The metrics of a recipe's complete runs.

    Raises:
        UserError: no run has one of them.
    """
    complete = [record for record in records if record.is_complete]
    seconds: dict[str, float] = {}
    for record in complete:
        seed = str(record.seed_or_name)
        seconds[seed] = seconds.get(seed, 0.0) + record.costs.get("train_seconds", 0.0)
    revisions = {record.facts.get("git_revision", "unknown") for record in complete}
    return Measured(
        metrics=tuple(_values(claim, what, complete) for claim in what.claims),
        seconds=seconds,
        command=command,
        machine=machine,
        revision=", ".join(sorted(revisions)),
    )


def _values(claim: Claim, what: Reproduction, complete: Iterable[Record]) -> dict[str, float]:
    key = claim.measure.key
    chosen = [record for record in complete if claim.is_of(record.overrides)]
    found = {str(record.seed_or_name): value for record in chosen if (value := record.metrics.get(key)) is not None}
    if not found:
        which = f" of {', '.join(claim.of)}" if claim.of else ""
        raise UserError(f"reproduce: no run of {what.recipe} has {key}{which}; see the reasons in its metrics.json")
    return found


def read_measured(file: Path) -> dict[str, Measured]:
    """The metrics by recipe; none where there is no file yet.

    Raises:
        UserError: it is damaged.
    """
    if not file.exists():
        return {}
    try:
        return {recipe: _of(given) for recipe, given in json_of(file).items()}
    except (Damaged, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{file}: expected metrics that `latentlab reproduce` wrote ({error}); remove it") from error


def _of(given: dict[str, Any]) -> Measured:
    return Measured(**{**given, "metrics": tuple(given["metrics"])})


def write_measured(file: Path, found: Mapping[str, Measured]) -> None:
    write_atomically(file, json.dumps({recipe: asdict(own) for recipe, own in found.items()}, indent=1) + "\n")


def as_recorded(
    what: Iterable[Reproduction], found: Mapping[str, Measured], new: Mapping[str, Measured] | None = None
) -> Recorded:
    """The metrics in the form that new ones are compared with. new: those, which may be of fewer seeds."""
    content: dict[str, dict[str, RecordedMean]] = {}
    for one in what:
        values_of = zip(one.claims, found[one.recipe].metrics, (new or found)[one.recipe].metrics, strict=True)
        for claim, values, others in values_of:
            group = " ".join([one.recipe, *claim.of])
            content.setdefault(group, {})[claim.measure.key] = tolerated([*values.values()], len(others))
    return Recorded(content)
