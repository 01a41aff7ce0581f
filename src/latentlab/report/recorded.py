"""Recorded metrics, and new ones compared with them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from latentlab.errors import UserError
from latentlab.report.reading.groups import grouped
from latentlab.report.reading.records import Record
from latentlab.report.statistics.intervals import summary
from latentlab.report.statistics.measures import YARDSTICK, compact, measure
from latentlab.runs.files import write_atomically

STANDARD_ERRORS = 3.0  # of the difference of two means, by which a new mean may be worse
FRACTION = 0.02  # of the mean: at least this is tolerated, as machines round differently


@final
@dataclass(frozen=True)
class RecordedMean:
    """A mean over seeds, and by how much a new mean may be worse."""

    mean: float
    tolerance: float


@final
@dataclass(frozen=True)
class Deviation:
    """One metric of one group, as recorded and as found now."""

    group: str
    name: str
    recorded: RecordedMean
    found: float

    @property
    def is_worse(self) -> bool:
        sign = 1 if measure(self.name).better == "lower" else -1
        return not sign * (self.found - self.recorded.mean) <= self.recorded.tolerance  # a NaN is worse

    def __str__(self) -> str:
        word = "WORSE" if self.is_worse else "ok"
        found, mean, tolerance = map(compact, (self.found, self.recorded.mean, self.recorded.tolerance))
        return f"{word:5}  {self.group:12}  {self.name:12}  {found}, recorded {mean}, tolerance {tolerance}"


@final
@dataclass(frozen=True)
class Recorded:
    """{group: {metric: mean and tolerance}} of the yardstick's metrics of which lower or higher is better."""

    metrics: Mapping[str, Mapping[str, RecordedMean]]

    @classmethod
    def of(cls, records: Iterable[Record]) -> Recorded:
        found = {}
        for group in grouped(records).groups:
            values = {name: list(group.values(name).values()) for name, m in YARDSTICK.items() if m.better is not None}
            found[group.name] = {name: tolerated(own) for name, own in values.items() if own}
        return cls(found)

    @classmethod
    def read(cls, file: Path) -> Recorded:
        """The metrics of a file.

        Raises:
            UserError: it cannot be read, or holds no recorded metrics.
        """
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return cls({g: {n: RecordedMean(**own) for n, own in names.items()} for g, names in content.items()})
        except OSError as error:
            raise UserError(f"recorded: cannot read {file} ({error.strerror}); record=true writes it") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"recorded: {file} holds no recorded metrics; record=true replaces it") from error

    def write(self, file: Path) -> None:
        content = {g: {n: asdict(own) for n, own in names.items()} for g, names in self.metrics.items()}
        try:
            write_atomically(file, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            raise UserError(f"recorded: cannot write {file} ({error.strerror})") from error

    def deviations(self, found: Recorded) -> list[Deviation]:
        """Every recorded metric with the one found.

        Raises:
            UserError: a recorded group or metric was not found.
        """
        deviations = []
        for group, names in self.metrics.items():
            for name, recorded in names.items():
                own = found.metrics.get(group, {}).get(name)
                if own is None:
                    raise UserError(f"check: no {name} of {group} was found; there are {', '.join(found.metrics)}")
                deviations.append(Deviation(group, name, recorded, own.mean))
        return deviations


def tolerated(values: list[float], new: int | None = None) -> RecordedMean:
    """Their mean, and how much worse a mean of so many new values may be; None: of as many."""
    found = summary(values)
    assert found.mean is not None
    error = (found.spread or 0.0) * math.sqrt(1 / found.n + 1 / (new or found.n))
    return RecordedMean(found.mean, max(STANDARD_ERRORS * error, FRACTION * abs(found.mean)))
