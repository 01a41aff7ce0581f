"""The page: the values of its template, and the whole rendered into one file that needs no other."""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from latentlab.report.comparisons import Comparison
from latentlab.report.content import Content
from latentlab.report.reading.groups import ABSENT, shown
from latentlab.report.reading.records import Record
from latentlab.report.search_view import search_values
from latentlab.report.statistics.measures import ARROWS, counted, decimals_for, fixed, measure
from latentlab.runs.documents import number
from latentlab.runs.run import STATUSES

COST_DECIMALS = {"train_seconds": 1, "epochs": 0, "parameters": 0}
FACTS = {"data": "data", "device": "device", "git_revision": "revision", "versions": "versions"}


def render(content: Content, output: Path) -> str:
    """The page's HTML; links to run folders are relative to `output`."""
    runs, main = content.runs, content.main
    style, script = _asset("style.css"), _asset("script.js")
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
        counts=_counts(runs.records),
        facts=_facts(runs.records),
        main=main,
        further=[entry for entry in content.comparisons if not entry.is_of_yardstick],
        compared=[entry for entry in main if _is_compared(entry, content.baseline is not None)],
        searched=None if runs.search is None else search_values(runs.search, runs),
        links={record.name: _link(record.folder, output) for record in runs.records if record.status != "missing"},
        costs=[(measure(key), decimals) for key, decimals in COST_DECIMALS.items()],
        run_decimals=[_decimals(entry.measure.key, runs.records) for entry in main],
    )


def _is_compared(entry: Comparison, was_asked: bool) -> bool:
    """Whether the differences say more than the means: an interval, or what was asked for."""
    others = [found for k, found in enumerate(entry.differences) if k != entry.baseline]
    return any(found.half is not None or (was_asked and found.mean is not None) for found in others)


def _decimals(key: str, records: Sequence[Record]) -> int:
    return decimals_for([value for record in records if (value := record.metrics.get(key)) is not None])


def _link(folder: Path, output: Path) -> str:
    """A relative URL, which no browser takes for one with a scheme."""
    relative = Path(os.path.relpath(folder.resolve(), output.resolve())).as_posix()
    return f"./{quote(os.fsencode(relative), safe='/')}/"


def _counts(records: Sequence[Record]) -> list[tuple[str, int]]:
    found = Counter(record.status for record in records)
    order = [*STATUSES, "missing", "damaged", "unknown"]
    return [(status, found[status]) for status in order if found[status]]


def _facts(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """What was recorded of data, device and versions: one value where all runs agree."""
    found = []
    for key, name in FACTS.items():
        values = Counter(record.facts[key] for record in records if key in record.facts)
        texts = [f"{value} ({count} runs)" if len(values) > 1 else value for value, count in values.most_common(6)]
        if texts:
            found.append((name, texts))
    return found


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and no code runs but the page's own."""
    return f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("latentlab.report").joinpath("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")
