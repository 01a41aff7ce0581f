"""The page's figures as CSV, for other programs, and as Markdown, for a note."""

import csv
import io
from collections.abc import Iterable, Sequence

from latentlab.report.reading.groups import Grouping
from latentlab.report.reading.records import COSTS, Record
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.statistics.measures import YARDSTICK, fixed, places
from latentlab.report.verdicts import Judged, verdict

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def runs_csv(runs: RunSet, grouping: Grouping) -> str:
    """A row a run: folder, status, reason, seed, varied keys, every figure, cost."""
    group_of = {record.name: group for group in grouping.groups for record in group.records}
    metrics = sorted({name for record in runs.records for name in record.metrics})
    header = ["run", "status", "reason", "seed", "group", *grouping.keys, *metrics, *COSTS, "damage"]
    rows: list[list[object]] = []
    for record in runs.records:
        group = group_of.get(record.name)
        settings = [group.setting(key) if group is not None else "" for key in grouping.keys]
        figures = [record.metrics.get(name) for name in metrics] + [record.costs.get(name) for name in COSTS]
        place = [record.name, record.status, record.reason, record.seed, group.name if group is not None else ""]
        rows.append([*place, *settings, *figures, "; ".join(record.damage)])
    return _csv([header, *rows])


def groups_csv(grouping: Grouping, judged: Sequence[Judged]) -> str:
    """A row a group: varied keys, and of each figure seeds, mean, standard deviation, half-width, whether best."""
    header = ["group", *grouping.keys, "seeds", "complete seeds", "runs", "complete runs"]
    for entry in judged:
        header += [f"{entry.measure.key} {what}" for what in ("n", "mean", "sd", "ci95_half", "best")]
    rows: list[list[object]] = []
    for place, group in enumerate(grouping.groups):
        row: list[object] = [group.name, *(group.setting(key) for key in grouping.keys)]
        row += [group.seeds, group.complete_seeds, len(group.records), len(group.complete)]
        for entry in judged:
            found = entry.summaries[place]
            row += [found.n, found.mean, found.spread, found.half, int(entry.marked == place)]
        rows.append(row)
    return _csv([header, *rows])


def markdown(runs: RunSet, grouping: Grouping, judged: Sequence[Judged], problems: Sequence[Record]) -> str:
    """Verdict, the groups' table on the yardstick, and what went wrong."""
    main = [entry for entry in judged if entry.measure.key in YARDSTICK] or list(judged)
    lines = [f"# {_plain(runs.name)}", ""]
    if runs.search is not None:
        lines += [f"- {_plain('best ' + runs.search.told(trial))}" for trial in runs.search.best()]
    lines += [f"- {_plain(told)}" for told in verdict(main, grouping.groups, runs.search is not None)]
    lines += [f"- {_plain(note)}" for note in runs.notes]
    keys = [grouping.label(key) for key in grouping.keys] or ["group"]
    lines += ["", _row([*keys, "seeds", *(entry.measure.label for entry in main)])]
    lines.append(_row(["---"] * len(keys) + ["---:"] * (1 + len(main))))
    decimals = [places([found.mean for found in entry.summaries if found.mean is not None]) for entry in main]
    for place, group in enumerate(grouping.groups):
        names = [group.setting(key) for key in grouping.keys] or [group.name]
        cells = [_cell(entry, place, shown) for entry, shown in zip(main, decimals, strict=True)]
        lines.append(_row([*map(_plain, names), f"{group.complete_seeds} of {group.seeds}", *cells]))
    lines += ["", "Mean ± half of its 95 % interval over seeds; bold: best, told apart from every other group."]
    if problems:
        lines += ["", "## Runs without figures, or damaged", ""]
        lines += [f"- {_plain(r.name)}: {r.status}. {_plain(_why(r))}".rstrip() for r in problems]
    return "\n".join(lines) + "\n"


def _why(record: Record) -> str:
    return "; ".join(dict.fromkeys([*([record.reason] if record.reason else []), *record.damage]))


def _cell(entry: Judged, place: int, decimals: int) -> str:
    found = entry.summaries[place]
    text = fixed(found.mean, decimals) + (f" ± {fixed(found.half, decimals)}" if found.half is not None else "")
    return f"**{text}**" if entry.marked == place else text


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    """One line in which nothing is markup."""
    for sign in "\\`*_[]|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def _csv(rows: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([_inert(value) for value in row] for row in rows)
    return stream.getvalue()


def _inert(value: object) -> object:
    """Text that a spreadsheet would take for a formula is quoted as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
