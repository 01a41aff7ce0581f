"""A search on the page: its best trials, its charts, and all its trials in a table."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

from latentlab.report.charts.search_charts import SearchCharts, draw_search
from latentlab.report.reading.groups import ABSENT, shown
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.reading.trials import STATES, Search, Trial
from latentlab.report.statistics.measures import YARDSTICK, compact, decimals_for, fixed
from latentlab.runs.documents import number

MAX_BEST = 10
STATUSES = {"fail": "failed"}  # the status of its run


@final
@dataclass(frozen=True)
class Row:
    """A trial as text. settings, values: (text, number to sort by), None to sort by the text."""

    trial: Trial
    status: str
    link: str
    settings: tuple[tuple[str, float | None], ...]
    values: tuple[tuple[str, float | None], ...]
    is_best: bool


@final
@dataclass(frozen=True)
class Best:
    """A best trial as text: "val/mse 0.1", "lr=0.01, ...", and "MSE 0.1, ..." of the test where it was tested."""

    row: Row
    figures: str
    drawn: str
    tested: str


@final
@dataclass(frozen=True)
class View:
    """best: the best trials; `others` more of them are marked in the table only. rows: of all trials."""

    search: Search
    counts: tuple[tuple[str, int], ...]
    best: tuple[Best, ...]
    others: int
    rows: tuple[Row, ...]
    charts: SearchCharts


def view_of(search: Search, runs: RunSet, output: Path) -> View:
    """The search that drew these runs, for a page in the folder `output`."""
    decimals = [decimals_for([t.values[k] for t in search.complete]) for k in range(len(search.objectives))]
    best = search.best()
    numbers = {trial.number for trial in best}
    links = {record.name: link(record.folder, output) for record in runs.records if record.status != "missing"}
    rows = {t.number: _row(search, t, decimals, links.get(t.folder, ""), t.number in numbers) for t in search.trials}
    counted = Counter(trial.state for trial in search.trials)
    return View(
        search,
        tuple((STATUSES.get(state, state), counted[state]) for state in STATES if counted[state]),
        tuple(Best(rows[t.number], _figures(search, t), search.drawn(t), _tested(t, runs)) for t in best[:MAX_BEST]),
        len(best[MAX_BEST:]),
        tuple(rows.values()),
        draw_search(search),
    )


def link(folder: Path, output: Path) -> str:
    """A relative URL, which no browser takes for one with a scheme."""
    relative = Path(os.path.relpath(folder.resolve(), output.resolve())).as_posix()
    return f"./{quote(os.fsencode(relative), safe='/')}/"


def _row(search: Search, trial: Trial, decimals: list[int], link: str, is_best: bool) -> Row:
    return Row(
        trial,
        STATUSES.get(trial.state, trial.state),
        link,
        tuple(_cell(trial.params.get(key, ABSENT)) for key in search.keys),
        tuple((fixed(v, d), v) for v, d in zip(trial.values or (None,) * len(decimals), decimals, strict=True)),
        is_best,
    )


def _cell(value: Any) -> tuple[str, float | None]:
    return shown(value), number(value)


def _figures(search: Search, trial: Trial) -> str:
    return ", ".join(f"{name} {compact(value)}" for name, value in zip(search.objectives, trial.values, strict=True))


def _tested(trial: Trial, runs: RunSet) -> str:
    """The yardstick's figures on the test set, by which the trial was not chosen."""
    found = next((record.metrics for record in runs.records if record.name == trial.folder), {})
    pairs = [(known.label, found.get(key)) for key, known in YARDSTICK.items()]
    return ", ".join(f"{label} {compact(value)}" for label, value in pairs if value is not None)
