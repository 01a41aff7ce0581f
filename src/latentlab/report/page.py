"""The page: what its template is told, and the whole rendered into one file that needs nothing else."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from latentlab.report.charts.axes import Series
from latentlab.report.charts.charts import Charts
from latentlab.report.pictures import Gallery
from latentlab.report.reading.groups import ABSENT, Group, Grouping
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.search_view import link, view_of
from latentlab.report.statistics.measures import YARDSTICK, fixed, measure, places
from latentlab.report.statistics.statistics import Summary
from latentlab.report.verdicts import Judged, verdict
from latentlab.runs.run import STATUSES

RUN_COLUMNS = ("train_seconds", "epochs", "parameters")


@final
@dataclass(frozen=True)
class Cell:
    """A figure in a table: its text, what it is sorted by, small print, and whether it is the best."""

    text: str
    order: float | None = None
    half: str = ""
    title: str = ""
    best: bool = False


@final
@dataclass(frozen=True)
class Column:
    """A figure over all groups. place: of its cells in each row."""

    judged: Judged
    cells: tuple[Cell, ...]
    differences: tuple[Cell, ...]

    @property
    def arrow(self) -> str:
        return {"lower": "↓", "higher": "↑", None: ""}[self.judged.measure.better]


def render(
    runs: RunSet,
    grouping: Grouping,
    judged: Sequence[Judged],
    problems: Sequence[Record],
    charts: Charts,
    pictures: Gallery,
    series: Sequence[Series],
    notes: Sequence[str],
    baseline: str | None,
    output: Path,
) -> str:
    """The page's HTML; links to run folders are relative to `output`."""
    columns = [_column(entry, grouping.groups) for entry in judged]
    main = [column for column in columns if column.judged.measure.key in YARDSTICK]
    style, script = _asset("style.css"), _asset("script.js")
    templates = Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("page.html").render(
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        runs=runs,
        counts=_counts(runs.records),
        facts=_facts(runs.records),
        verdict=verdict([column.judged for column in main], grouping.groups, runs.search is not None),
        notes=notes,
        grouping=grouping,
        series=series,
        chosen_baseline=baseline,
        main=main,
        further=[column for column in columns if column not in main],
        compared=[column for column in main if _is_compared(column, baseline is not None)],
        problems=[(record, _why(record)) for record in problems],
        charts=charts,
        searched=None if runs.search is None else view_of(runs.search, runs, output),
        pictures=pictures,
        measures=[column.judged.measure for column in main],
        run_columns=[measure(name) for name in RUN_COLUMNS],
        rows=_run_rows(runs.records, grouping, [column.judged for column in main], output),
    )


def _is_compared(column: Column, was_asked: bool) -> bool:
    """Whether its differences say more than its means: an interval, or what was asked for."""
    return any(cell.half or (was_asked and cell.order is not None) for cell in column.differences)


def _column(judged: Judged, groups: Sequence[Group]) -> Column:
    means = [entry.mean for entry in judged.summaries if entry.mean is not None]
    decimals = places(means)
    finer = decimals + 1  # differences are smaller than what they are of
    cells = tuple(_mean_cell(entry, decimals, judged.marked == place) for place, entry in enumerate(judged.summaries))
    differences = tuple(
        _difference_cell(entry, finer) if place != judged.baseline else Cell("baseline")
        for place, entry in enumerate(judged.differences)
    )
    return Column(judged, cells, differences)


def _mean_cell(entry: Summary, decimals: int, best: bool) -> Cell:
    if entry.mean is None:
        return Cell(ABSENT)
    half = f"± {fixed(entry.half, decimals)}" if entry.half is not None else ""
    spread = f", standard deviation {entry.spread:.3g}" if entry.spread is not None else ""
    title = f"{entry.n} seed{'s' * (entry.n != 1)}{spread}"
    return Cell(fixed(entry.mean, decimals), entry.mean, half, title, best)


def _difference_cell(entry: Summary, decimals: int) -> Cell:
    if entry.mean is None:
        return Cell(ABSENT, title="no common seed")
    sign = "+" if entry.mean > 0 else ""
    half = f"± {fixed(entry.half, decimals)}" if entry.half is not None else ""
    title = f"{entry.n} common seed{'s' * (entry.n != 1)}" + (", excludes 0" if entry.excludes_zero else "")
    return Cell(sign + fixed(entry.mean, decimals), entry.mean, half, title, entry.excludes_zero)


def _run_rows(
    records: Sequence[Record], grouping: Grouping, main: Sequence[Judged], output: Path
) -> list[dict[str, Any]]:
    group_of = {record.name: group for group in grouping.groups for record in group.records}
    keys = [judged.measure.key for judged in main]
    decimals = {key: places([v for record in records if (v := record.metrics.get(key)) is not None]) for key in keys}
    rows = []
    for record in records:
        group = group_of.get(record.name)
        figures = [(fixed(value, decimals[key]), value) for key in keys for value in [record.metrics.get(key)]]
        costs = [
            (fixed(value, 1 if key == "train_seconds" else 0), value)
            for key in RUN_COLUMNS
            for value in [record.costs.get(key)]
        ]
        rows.append(
            {
                "record": record,
                "link": link(record.folder, output) if record.status != "missing" else "",
                "settings": [group.setting(key) if group is not None else ABSENT for key in grouping.keys],
                "figures": [*figures, *costs],
            }
        )
    return rows


def _counts(records: Sequence[Record]) -> list[tuple[str, int]]:
    found = Counter(record.status for record in records)
    order = [*STATUSES, "missing", "damaged", "unknown"]
    return [(status, found[status]) for status in order if found[status]]


def _facts(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """What was recorded of data, device and versions: one value where all runs agree."""
    names = {"data": "data", "device": "device", "git_revision": "revision", "versions": "versions"}
    found: Mapping[str, Counter[str]] = {key: Counter() for key in names}
    for record in records:
        for key in names:
            if key in record.facts:
                found[key][_short(record.facts[key]) if key == "git_revision" else record.facts[key]] += 1
    return [(name, _with_counts(found[key])) for key, name in names.items() if found[key]]


def _with_counts(values: Counter[str]) -> list[str]:
    return [f"{value} ({count} runs)" if len(values) > 1 else value for value, count in values.most_common(6)]


def _short(revision: str) -> str:
    """Twelve digits of a revision, and the + of a changed checkout."""
    return revision[:12] + "+" * (len(revision) > 12 and revision.endswith("+"))


def _why(record: Record) -> str:
    return "; ".join(dict.fromkeys([*([record.reason] if record.reason else []), *record.damage])) or "no reason given"


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and no code runs but the page's own."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("latentlab.report").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")
