"""A report of runs: one HTML page that needs no other file, and its metrics as CSV and Markdown."""

from collections.abc import Sequence
from pathlib import Path

from latentlab.report.content import Content
from latentlab.report.page import render
from latentlab.report.reading.run_sets import RunSet, read_runs, read_sweep
from latentlab.report.tables import groups_csv, markdown, runs_csv
from latentlab.runs.files import write_atomically
from latentlab.runs.layout import REPORT, REPORT_GROUPS, REPORT_MARKDOWN, REPORT_RUNS


def write_report(
    folder: Path | str, baseline: str | None = None, output: Path | str | None = None, partial_data: bool = False
) -> Path:
    """Compare the runs of a sweep's folder; returns the page.

    baseline: the name of the group that is subtracted in paired differences; None for each metric's leader.
    output: the folder of report.html, report.md, report.csv (one row per run) and report_groups.csv; None for the
        sweep's folder.
    partial_data: whether runs on a part of the data are included.

    Raises:
        UserError: there are no runs, or no group has the baseline's name.
    """
    return _written(read_sweep(Path(folder)), Path(output if output is not None else folder), baseline, partial_data)


def write_report_of_runs(
    folders: Sequence[Path | str], output: Path | str, baseline: str | None = None, partial_data: bool = False
) -> Path:
    """Compare the runs in these folders; returns the page. output: the folder of the report's files.

    Raises:
        UserError: a folder holds no run, or no group has the baseline's name.
    """
    return _written(read_runs([Path(folder) for folder in folders]), Path(output), baseline, partial_data)


def _written(runs: RunSet, output: Path, baseline: str | None, partial_data: bool) -> Path:
    content = Content.of(runs, baseline, partial_data)
    for name, text in (
        (REPORT_RUNS, runs_csv(content)),
        (REPORT_GROUPS, groups_csv(content)),
        (REPORT_MARKDOWN, markdown(content)),
        (REPORT, render(content, output)),
    ):
        # names of folders and texts from JSON may hold surrogates, which UTF-8 cannot encode
        write_atomically(output / name, text.encode("utf-8", "backslashreplace"))
    return output / REPORT
