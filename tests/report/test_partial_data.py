"""Runs on a part of the data are listed with the reason instead of compared, unless they are asked for."""

import csv
import json

import pytest

from latentlab.report.write import write_report
from tests.report.run_folders import beta_sweep


@pytest.fixture
def folder(tmp_path):
    """A sweep over beta 0.5, 1 and 2, of which the runs of beta 2 saw a part of the data."""
    sweep = beta_sweep(tmp_path / "sweep")
    for file in sweep.glob("model.beta=2.0,*/metrics.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "partial_data": ["limit_train_batches=2"]}))
    return sweep


def groups(sweep) -> list[str]:
    with (sweep / "report_groups.csv").open() as file:
        return [row["group"] for row in csv.DictReader(file)]


def test_they_are_in_no_group_and_listed_with_the_reason(folder):
    page = write_report(folder).read_text()
    assert groups(folder) == ["beta=0.5", "beta=1"]
    reason = "left out, as it saw a part of the data (limit_train_batches=2); partial_data=true includes it"
    assert page.count(reason) == 3
    assert (folder / "report.md").read_text().count("partial\\_data=true") == 3


def test_they_are_compared_where_that_is_asked_for(folder):
    page = write_report(folder, partial_data=True).read_text()
    assert groups(folder) == ["beta=0.5", "beta=1", "beta=2"]
    assert "left out, as" not in page


def test_a_sweep_of_such_runs_alone_has_a_page(folder):
    for file in folder.glob("*/metrics.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "partial_data": ["fast_dev_run=True"]}))
    assert write_report(folder).read_text().count("left out, as") == 9
    assert groups(folder) == []
