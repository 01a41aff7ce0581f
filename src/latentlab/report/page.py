"""The page: the values of its templates, rendered into one file that needs no other."""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from latentlab.report.charts.search_charts import parallel_charts, search_charts
from latentlab.report.comparisons import Comparison
from latentlab.report.content import Content
from latentlab.report.filtering import filter_values
from latentlab.report.reading.groups import ABSENT, shown
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.reading.trials import TRIAL_STATUSES, Search, Trial
from latentlab.report.statistics.measures import ARROWS, YARDSTICK, compact, counted, decimals_for, fixed, measure
from latentlab.runs.documents import number
from latentlab.runs.layout import EXPLORE
from latentlab.runs.run import STATUSES

SCRIPTS = ("tables.js", "filter.js", "brush.js", "pictures.js")
MAX_BEST = 10  # trials named
MAX_COLUMNS = 8  # of settings, in a table; more are folded
COST_DECIMALS = {"train_seconds": 1, "epochs": 0, "parameters": 0}
FACTS = {"data": "data", "device": "device", "git_revision": "revision", "versions": "versions"}


def render(content: Content, output: Path) -> str:
    """The page's HTML; links to run folders are relative to `output`."""
    runs, main = content.runs, content.main
    style, script = _asset("style.css"), "\n".join(map(_asset, SCRIPTS))
    templates = Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters.update(fixed=fixed, shown=shown, number=number, counted=counted)
    return templates.get_template("page.html").render(
        vars(content),
        absent=ABSENT,
        arrows=ARROWS,
        findings=content.findings(main),
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        counts=_counts(runs.records, [*STATUSES, "missing", "damaged", "unknown"]),
        facts=_facts(runs.records),
        explored=_explored(runs, output),
        main=main,
        further=[entry for entry in content.comparisons if not entry.is_of_yardstick],
        compared=[entry for entry in main if _is_compared(entry, content.baseline is not None)],
        searched=None if runs.search is None else _search_values(runs.search, runs),
        links={record.name: _link(record.folder, output) for record in runs.records if record.status != "missing"},
        costs=[(measure(key), decimals) for key, decimals in COST_DECIMALS.items()],
        filter_values=filter_values(content),
        max_columns=MAX_COLUMNS,
        run_decimals=[_decimals(entry.measure.key, runs.records) for entry in main],
    )


def _search_values(search: Search, runs: RunSet) -> dict[str, Any]:
    """The values of search.html, for the search that drew these runs.

    best: at most `MAX_BEST` of the best trials, each with its metrics on the test set. counts: (status, number of
    trials). decimals: of each objective in the table.
    """
    return {
        "search": search,
        "best": [(trial, _tested(trial, runs)) for trial in search.best()[:MAX_BEST]],
        "counts": _counts(search.trials, TRIAL_STATUSES.values()),
        "decimals": [decimals_for([t.values[k] for t in search.complete]) for k in range(len(search.objectives))],
        "charts": search_charts(search),
        "wide_charts": parallel_charts(search),
    }


def _tested(trial: Trial, runs: RunSet) -> str:
    """The yardstick's metrics on the test set, as text; empty where the trial was not tested."""
    found = next((record.metrics for record in runs.records if record.name == trial.folder), {})
    pairs = [(known.label, found.get(key)) for key, known in YARDSTICK.items()]
    return ", ".join(f"{label} {compact(value)}" for label, value in pairs if value is not None)


def _is_compared(entry: Comparison, is_chosen: bool) -> bool:
    """Whether there is a difference with an interval, or any where the baseline was chosen."""
    others = [found for k, found in enumerate(entry.differences) if k != entry.baseline]
    return any(found.half is not None or (is_chosen and found.mean is not None) for found in others)


def _decimals(key: str, records: Sequence[Record]) -> int:
    return decimals_for([value for record in records if (value := record.metrics.get(key)) is not None])


def _link(folder: Path, output: Path) -> str:
    """A relative URL; "./" keeps a colon in a name from being read as a scheme."""
    relative = Path(os.path.relpath(folder.resolve(), output.resolve())).as_posix()
    return f"./{quote(os.fsencode(relative), safe='/')}/"


def _explored(runs: RunSet, output: Path) -> list[tuple[str, str]]:
    """(name, relative URL) of the pages of `latentlab explore` beside the report and in the runs' folders."""
    beside = [(runs.name, f"./{EXPLORE}")] if (output / EXPLORE).is_file() else []
    held = [record for record in runs.records if (record.folder / EXPLORE).is_file()]
    return [*beside, *((record.name, _link(record.folder, output) + EXPLORE) for record in held)]


def _counts(found: Sequence[Record | Trial], order: Iterable[str]) -> list[tuple[str, int]]:
    """(status, number of runs or trials with it), in the given order."""
    counts = Counter(each.status for each in found)
    return [(status, counts[status]) for status in order if counts[status]]


def _facts(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """(name, values) of data, device and versions; each value with its number of runs where they differ."""
    found = []
    for key, name in FACTS.items():
        values = Counter(record.facts[key] for record in records if key in record.facts)
        texts = [
            f"{value} ({counted(count, 'run')})" if len(values) > 1 else value for value, count in values.most_common(6)
        ]
        if texts:
            found.append((name, texts))
    return found


def _policy(style: str, script: str) -> str:
    """The content security policy: nothing is fetched, and only the page's own style and script are used."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("latentlab.report").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")
