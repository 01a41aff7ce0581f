"""The page: the values of its template, and the whole rendered into one file that needs no other."""

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

from latentlab.report.comparisons import Comparison
from latentlab.report.content import Content
from latentlab.report.reading.groups import ABSENT
from latentlab.report.reading.records import Record
from latentlab.report.search_view import link, view_of
from latentlab.report.statistics.intervals import Summary
from latentlab.report.statistics.measures import Measure, decimals_for, fixed, measure
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
    """A figure over all groups: a cell for each of them, and one for its difference from the baseline."""

    comparison: Comparison
    cells: tuple[Cell, ...]
    differences: tuple[Cell, ...]

    @property
    def measure(self) -> Measure:
        return self.comparison.measure

    @property
    def arrow(self) -> str:
        return {"lower": "↓", "higher": "↑", None: ""}[self.measure.better]

    def is_compared(self, was_asked: bool) -> bool:
        """Whether its differences say more than its means: an interval, or what was asked for."""
        return any(cell.half or (was_asked and cell.order is not None) for cell in self.differences)


def render(content: Content, output: Path) -> str:
    """The page's HTML; links to run folders are relative to `output`."""
    runs, columns = content.runs, [_column(entry) for entry in content.comparisons]
    main = [column for column in columns if column.comparison.is_of_yardstick]
    style, script = _asset("style.css"), _asset("script.js")
    templates = Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("page.html").render(
        vars(content),
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        counts=_counts(runs.records),
        facts=_facts(runs.records),
        findings=content.findings(content.main),
        main=main,
        further=[column for column in columns if column not in main],
        compared=[column for column in main if column.is_compared(content.baseline is not None)],
        searched=None if runs.search is None else view_of(runs.search, runs, output),
        run_columns=[measure(name) for name in RUN_COLUMNS],
        rows=_run_rows(content, output),
    )


def _column(comparison: Comparison) -> Column:
    decimals = decimals_for(comparison.means)
    finer = decimals + 1  # differences are smaller than what they are of
    cells = tuple(_mean_cell(entry, decimals, comparison.best == k) for k, entry in enumerate(comparison.summaries))
    differences = tuple(
        _difference_cell(entry, finer) if k != comparison.baseline else Cell("baseline")
        for k, entry in enumerate(comparison.differences)
    )
    return Column(comparison, cells, differences)


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


def _run_rows(content: Content, output: Path) -> list[dict[str, Any]]:
    records, grouping = content.runs.records, content.grouping
    keys = [entry.measure.key for entry in content.main]
    values = {key: [record.metrics.get(key) for record in records] for key in keys}
    decimals = {key: decimals_for([v for v in found if v is not None]) for key, found in values.items()}
    decimals |= {key: 1 if key == "train_seconds" else 0 for key in RUN_COLUMNS}
    rows = []
    for record in records:
        group = grouping.group_of.get(record.name)
        figures = {key: record.metrics.get(key) for key in keys} | {key: record.costs.get(key) for key in RUN_COLUMNS}
        rows.append(
            {
                "record": record,
                "link": link(record.folder, output) if record.status != "missing" else "",
                "settings": [group.setting(key) if group is not None else ABSENT for key in grouping.keys],
                "figures": [(fixed(value, decimals[key]), value) for key, value in figures.items()],
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


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and no code runs but the page's own."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("latentlab.report").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")
