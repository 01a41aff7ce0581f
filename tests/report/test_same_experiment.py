"""Real runs: those that differ in a callback are two experiments, those that differ in the seed are one."""

import csv

import pytest

from latentlab.report.reading.groups import grouped
from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.write import write_report

TINY = [
    *("data=digits", "data.image_size=8", "net.widths=[8]", "trainer=smoke", "callbacks=no_pictures", "logger=none"),
    *("sweep.report=false", "seed=0,1"),
]
AVERAGING = "+callbacks.average={_target_:lightning.pytorch.callbacks.StochasticWeightAveraging,swa_lrs:0.01}"
STOPPING = "+callbacks.stop={{_target_:lightning.pytorch.callbacks.EarlyStopping,monitor:val/objective,patience:{}}}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "key", "names"),
    [
        pytest.param([], [AVERAGING], "callbacks.average._target_", 2, marks=pytest.mark.long),
        ([STOPPING.format(2)], [STOPPING.format(3)], "callbacks.stop.patience", ["patience=2", "patience=3"]),
    ],
    ids=["weight averaging on and off", "two patiences"],
)
def test_two_callbacks_are_two_groups_of_two_seeds_with_different_hashes(sweep, tmp_path, first, second, key, names):
    for overrides in (first, second):
        status, jobs = sweep(*TINY, *overrides)
        assert status == 0
    assert len(jobs) == 4
    assert len({run.metrics["config_hash"] for run in jobs.values()}) == 4
    grouping = grouped(read_sweep(tmp_path / "sweep").records)
    assert key in grouping.keys or names == 2
    assert [(group.seeds, len(group.records)) for group in grouping.groups] == [(2, 2), (2, 2)]
    if names != 2:
        assert [group.name for group in grouping.groups] == names


def test_pictures_loggers_and_quiet_do_not_change_the_job(sweep, tmp_path):
    status, jobs = sweep(*TINY)
    again, more = sweep(*TINY[:4], "callbacks=default", "logger=csv", "quiet=true", "sweep.report=false", "seed=0,1")
    assert (status, again) == (0, 0)
    assert jobs.keys() == more.keys() == {"seed=0", "seed=1"}


def test_two_runs_of_one_seed_are_one_seed_of_the_report(train, tmp_path):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(*TINY[:-1], f"seed={seed}", folder=f"runs/{folder}")
    page = write_report(tmp_path / "runs", partial_data=True).read_text()
    (group,) = grouped(read_sweep(tmp_path / "runs").records).groups
    assert (group.seeds, group.complete_seeds, len(group.records)) == (2, 2, 3)
    assert "(2 seeds)" in page
    assert 'data-order="2">2</td>' in page
    assert "2 of 2" in (tmp_path / "runs" / "report.md").read_text()
    with (tmp_path / "runs" / "report_groups.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert [row[name] for name in ("seeds", "complete seeds", "runs", "complete runs")] == ["2", "2", "3", "3"]
    assert row["test/mse n"] == "2"
