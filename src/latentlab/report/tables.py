"""The page's metrics as CSV and as Markdown."""

import csv
import io
from collections.abc import Iterable, Sequence

from latentlab.report.comparisons import Comparison
from latentlab.report.content import Content
from latentlab.report.glance import Glance
from latentlab.report.reading.records import COST_KEYS
from latentlab.report.statistics.measures import ARROWS, fixed

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def runs_csv(content: Content) -> str:
    """One row per run: folder, status, reason, seed, varied keys, every metric, cost."""
    records, grouping = content.runs.records, content.grouping
    metrics = sorted({name for record in records for name in record.metrics})
    header = ["run", "status", "reason", "seed", "group", *grouping.keys, *metrics, *COST_KEYS, "damage"]
    rows: list[list[object]] = []
    for record in records:
        group = grouping.group_of.get(record.name)
        settings = [group.setting(key) if group is not None else "" for key in grouping.keys]
        values = [record.metrics.get(name) for name in metrics] + [record.costs.get(name) for name in COST_KEYS]
        first = [record.name, record.status, record.reason, record.seed, group.name if group is not None else ""]
        rows.append([*first, *settings, *values, "; ".join(record.damage)])
    return _csv([header, *rows])


def groups_csv(content: Content) -> str:
    """One row per group: varied keys, and of each metric seeds, mean, standard deviation, half-width, whether best."""
    grouping, comparisons = content.grouping, content.comparisons
    header = ["group", *grouping.keys, "seeds", "complete seeds", "runs", "complete runs"]
    for entry in comparisons:
        header += [f"{entry.measure.key} {what}" for what in ("n", "mean", "sd", "ci95_half", "best")]
    rows: list[list[object]] = []
    for index, group in enumerate(grouping.groups):
        counts = [group.seeds, group.complete_seeds, len(group.records), len(group.complete)]
        row: list[object] = [group.name, *map(group.setting, grouping.keys), *counts]
        for entry in comparisons:
            found = entry.summaries[index]
            row += [found.n, found.mean, found.spread, found.half, int(entry.best == index)]
        rows.append(row)
    return _csv([header, *rows])


def markdown(content: Content) -> str:
    """Findings or the table at a glance, the groups' table of the yardstick's metrics, and the runs with problems."""
    runs, grouping = content.runs, content.grouping
    main = content.main or list(content.comparisons)
    lines = [f"# {_plain(runs.name)}", ""]
    if runs.search is not None:
        lines += [f"- {_plain('best ' + runs.search.described(trial))}" for trial in runs.search.best()]
    lines += [f"- {_plain(finding)}" for finding in content.findings(main)]
    lines += [f"- {_plain(note)}" for note in content.notes]
    if content.glance is not None:
        lines += ["", *_at_a_glance(content.glance, [group.name for group in grouping.groups])]
    keys = [*grouping.labels.values()] or ["group"]
    lines += ["", _row([*keys, "seeds", *(entry.measure.label for entry in main)])]
    lines.append(_row(["---"] * len(keys) + ["---:"] * (1 + len(main))))
    for index, group in enumerate(grouping.groups):
        names = [group.setting(key) for key in grouping.keys] or [group.name]
        cells = [f"{group.complete_seeds} of {group.seeds}", *(_cell(entry, index) for entry in main)]
        lines.append(_row([*map(_plain, names), *cells]))
    lines += [
        "",
        "Mean ± half of its 95 % interval over seeds; bold: best, and different from every other group of several "
        "seeds (their intervals, or their paired differences, with Bonferroni's correction for all pairs of groups).",
    ]
    if content.problems:
        lines += ["", "## Runs without metrics, damaged or left out", ""]
        lines += [f"- {_plain(r.name)}: {r.status}. {_plain(r.why)}".rstrip() for r in content.problems]
    return "\n".join(lines) + "\n"


def _at_a_glance(glance: Glance, names: Sequence[str]) -> list[str]:
    """A row per question: the answer in words, and a column per group."""
    lines = [_row(["question", "answer", *map(_plain, names)]), _row(["---", "---", *["---:"] * len(names)])]
    for row in glance.rows:
        measure, best = row.question.measure, row.found.best
        cells = [f"— ({_plain(why)})" if why else _cell(row.found, index) for index, why in enumerate(row.absent)]
        answer = _plain(row.answer if best is None else f"{names[best]}: {row.answer}")
        lines.append(_row([f"{row.question.text} {measure.headline} {ARROWS[measure.better]}".strip(), answer, *cells]))
    if glance.missing:
        lines += ["", _plain(glance.missing)]
    return lines


def _cell(entry: Comparison, index: int) -> str:
    found = entry.summaries[index]
    half = f" ± {fixed(found.half, entry.decimals)}" if found.half is not None else ""
    text = fixed(found.mean, entry.decimals) + half
    return f"**{text}**" if entry.best == index else text


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """The text in one line, with all markup escaped."""
    for sign in "\\`*_[]|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def _csv(rows: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([_inert(value) for value in row] for row in rows)
    return stream.getvalue()


def _inert(value: object) -> object:
    """A value that a spreadsheet does not evaluate: text that looks like a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
