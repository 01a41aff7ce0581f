"""A clock that is set back: what was done counts as done, and no time is less than none."""

import json
import os
import time

import pytest
import torch

from latentlab.runs import Run
from tests.faults.causes import RUN

HOUR = 3600


@pytest.fixture
def an_hour_back(monkeypatch):
    """Call it, and every wall clock is an hour behind."""
    now, now_ns = time.time, time.time_ns

    def set_back() -> None:
        monkeypatch.setattr(time, "time", lambda: now() - HOUR)
        monkeypatch.setattr(time, "time_ns", lambda: now_ns() - HOUR * 10**9)

    return set_back


def from_the_future(folder) -> None:
    """All files of the folder as they look after the clock was set back."""
    for file in [folder, *folder.rglob("*")]:
        os.utime(file, (time.time() + HOUR, time.time() + HOUR))


def test_a_run_resumes_from_its_last_checkpoint(train, tmp_path, an_hour_back):
    whole = train(*RUN, folder="whole").metrics
    run = train(*RUN, "trainer.max_epochs=1")
    from_the_future(run.folder)
    an_hour_back()
    train(*RUN, f"resume={run.folder}")
    assert run.metrics["metrics"] == whole["metrics"]
    assert torch.load(run.last_checkpoint, weights_only=True)["epoch"] == 2
    assert all(run.metrics[key] >= 0 for key in ("train_seconds", "test_seconds", "wall_seconds"))
    epochs = [json.loads(line)["epoch"] for line in (run.folder / "history.jsonl").read_text().splitlines()]
    assert epochs == sorted(epochs)


def test_a_run_whose_clock_goes_back_in_its_middle_has_no_negative_times(train, an_hour_back, monkeypatch):
    from latentlab.training.callbacks.history import History

    before = History.on_train_epoch_end
    monkeypatch.setattr(History, "on_train_epoch_end", lambda *args: (before(*args), an_hour_back()))
    run = train(*RUN)
    assert all(run.metrics[key] >= 0 for key in ("train_seconds", "test_seconds", "wall_seconds"))


def test_a_sweep_skips_what_is_complete_and_reports_what_is_new(run_hydra, tmp_path, monkeypatch, an_hour_back):
    monkeypatch.chdir(tmp_path)
    command = ["-m", *RUN, "trainer.max_epochs=1", "logger=none", "sweep.name=s", "sweep.report=true"]
    assert run_hydra([*command, "seed=0,1"]) == 0
    folder = tmp_path / "outputs" / "sweeps" / "s"
    from_the_future(folder)
    written = {file: file.stat().st_mtime_ns for file in folder.glob("*/metrics.json")}
    an_hour_back()
    assert run_hydra([*command, "seed=0,1,2"]) == 0
    assert {file: file.stat().st_mtime_ns for file in written} == written
    assert Run(folder / "seed=2").metrics is not None
    assert "seed=2" in (folder / "report.csv").read_text()
