"""A report of runs: one HTML page that needs nothing else, and its figures as CSV and Markdown."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from latentlab.report.charts.charts import colours, draw, ranking
from latentlab.report.page import render
from latentlab.report.pictures import MOST_GROUPS, gallery
from latentlab.report.reading.groups import Grouping, grouped
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import RunSet, read_runs, read_sweep
from latentlab.report.tables import groups_csv, markdown, runs_csv
from latentlab.report.verdicts import judge
from latentlab.runs.files import write_atomically
from latentlab.runs.layout import REPORT, REPORT_GROUPS, REPORT_MARKDOWN, REPORT_RUNS

BEST_OF_A_SEARCH = 6  # whose pictures are shown


def write_report(folder: Path | str, baseline: str | None = None, output: Path | str | None = None) -> Path:
    """Compare the runs of a sweep's folder; returns the page.

    baseline: the name of the group that paired differences are taken from; None for each figure's leader.
    output: the folder of report.html, report.md, report.csv (a row a run) and report_groups.csv; None for the sweep's.

    Raises:
        UserError: there are no runs, or no group has the baseline's name.
    """
    place = Path(folder)
    return _written(read_sweep(place), Path(output) if output is not None else place, baseline)


def write_report_of_runs(folders: Sequence[Path | str], output: Path | str, baseline: str | None = None) -> Path:
    """The same for any run folders; `output` is the folder of the report's files.

    Raises:
        UserError: a folder is no run's, or no group has the baseline's name.
    """
    return _written(read_runs([Path(folder) for folder in folders]), Path(output), baseline)


def _written(runs: RunSet, output: Path, baseline: str | None) -> Path:
    grouping = grouped(runs.records)
    if runs.search is not None:
        grouping = runs.search.ordered(grouping)
    of_one_data = _is_one_data(grouping)
    judged = judge(grouping.groups, baseline, of_one_data)
    ranked = ranking(grouping.groups, judged, runs.search is not None)
    series = colours(grouping.groups, ranked)
    pictures = gallery(grouping.groups, ranked, most=BEST_OF_A_SEARCH if runs.search is not None else MOST_GROUPS)
    damaged = {record.name for record in runs.records if record.damage} | {name for name, _ in pictures.damage}
    expected = ("complete", "pruned") if runs.search is not None else ("complete",)
    problems = [_with_damage(r, pictures.damage) for r in runs.records if r.status not in expected or r.name in damaged]
    notes = [*runs.notes, *([] if of_one_data else [OTHER_DATA])]
    charts = draw(grouping, judged, series)
    page = render(runs, grouping, judged, problems, charts, pictures, series, notes, baseline, output)
    for name, text in (
        (REPORT_RUNS, runs_csv(runs, grouping)),
        (REPORT_GROUPS, groups_csv(grouping, judged)),
        (REPORT_MARKDOWN, markdown(runs, grouping, judged, problems)),
        (REPORT, page),
    ):
        write_atomically(output / name, _encodable(text))
    return output / REPORT


OTHER_DATA = (
    "The runs were measured on different data, so that their figures do not compare: nothing is marked as best, "
    "and no verdict is given"
)


def _is_one_data(grouping: Grouping) -> bool:
    """Whether all complete runs saw the same images in the same form."""
    runs = [record for group in grouping.groups for record in group.complete]
    form = ("data._target_", "data.binarize", "data.image_size")
    seen = {
        (record.facts.get("data"), record.facts.get("data_fingerprint"), *(str(record.config.get(k)) for k in form))
        for record in runs
    }
    return len(seen) <= 1


def _with_damage(record: Record, found: Sequence[tuple[str, str]]) -> Record:
    return replace(record, damage=(*record.damage, *(what for name, what in found if name == record.name)))


def _encodable(text: str) -> str:
    """Names of folders and texts of JSON may hold what UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
