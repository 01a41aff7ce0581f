"""A sweep gives the numbers of its jobs run alone, and one bad job does not take the others with it."""

import json
import os
import subprocess
import sys
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from hydra.core.plugins import Plugins

from latentlab.runs import Run
from tests.sweeps.short_sweeps import JOB

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def weights(run: Run) -> dict[str, torch.Tensor]:
    return torch.load(run.last_checkpoint, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_jobs_of_one_process_end_as_they_do_alone_bit_for_bit(sweep, train):
    status, jobs = sweep(*JOB, "model=sparse_ae,vae", "seed=0,1", "trainer.compile=false")
    assert status == 0
    assert len(jobs) == 4
    for model in ("sparse_ae", "vae"):
        for seed in (0, 1):
            (swept,) = (run for name, run in jobs.items() if f"model={model}" in name and f"seed={seed}" in name)
            alone = train(*JOB, f"model={model}", f"seed={seed}", folder=f"{model}{seed}")
            expected, found = weights(alone), weights(swept)
            assert all(torch.equal(expected[name], found[name]) for name in expected)
            assert swept.metrics["metrics"] == alone.metrics["metrics"]


@pytest.mark.long
def test_jobs_at_once_divide_the_threads_and_end_as_one_after_the_other(tmp_path):
    """In a process without OMP_NUM_THREADS, as a user's is: each worker takes its fraction of the cores."""
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    found = {}
    for launcher, threads in (("joblib", {}), ("basic", {"OMP_NUM_THREADS": str(max(1, CORES // 2))})):
        command = [sys.executable, "-m", "latentlab", "train", "-m", *JOB, "seed=0,1", f"hydra/launcher={launcher}"]
        command += ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
        command += [f"hydra.sweep.dir={tmp_path / launcher}"]
        done = subprocess.run(command, env={**free, **threads}, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr
        runs = [Run(path.parent) for path in (tmp_path / launcher).glob("*/metrics.json")]
        found[launcher] = {run.metrics["seed"]: run.metrics for run in runs}
    assert {metrics["threads"] for metrics in found["joblib"].values()} == {max(1, CORES // 2)}
    for seed in (0, 1):
        assert found["joblib"][seed]["metrics"] == found["basic"][seed]["metrics"]


def test_jobs_return_less_than_a_pipe_writes_at_once(sweep, monkeypatch):
    """In two writes, a worker killed between them would leave its launcher waiting."""
    returned = []
    instantiated = Plugins.instantiate_launcher

    def recorded(*arguments, **options):
        launcher = instantiated(*arguments, **options)
        launch = launcher.launch
        monkeypatch.setattr(launcher, "launch", lambda *jobs, **first: returned.extend(launch(*jobs, **first)))
        return launcher

    monkeypatch.setattr(Plugins, "instantiate_launcher", recorded)
    status, jobs = sweep(*JOB, "model=ae", "seed=0,1")
    assert status == 0
    assert [job.return_value for job in returned] == [
        run.metrics["metrics"]["val/objective_final"] for run in jobs.values()
    ]
    assert max(len(ForkingPickler.dumps(job)) for job in returned) < 4096


def test_a_failing_job_is_recorded_in_its_folder_and_the_others_are_finished(sweep, capfd):
    status, jobs = sweep(*JOB, "model=ae", "likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e5,1e-4")
    assert status == 1
    by_status = {run.status["status"]: run for run in jobs.values()}
    assert by_status.keys() == {"failed", "complete"}
    assert "not finite" in by_status["failed"].status["reason"]
    assert "not finite" in (by_status["failed"].folder / "train.log").read_text()
    assert by_status["failed"].metrics is None


def test_each_job_is_a_wandb_run_of_its_own(sweep, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    status, jobs = sweep(*JOB[:-1], "logger=wandb", "seed=0,1")
    assert status == 0
    for run in jobs.values():
        assert len(list(run.folder.glob("wandb/offline-run-*/run-*.wandb"))) == 1


def test_one_option_of_a_sweep_that_does_not_exist_stops_it_before_any_job(sweep, capfd):
    status, jobs = sweep(*JOB, "model=vae,vea")
    assert status == 1
    assert not jobs
    assert "vea" in capfd.readouterr().err


def test_metrics_are_json_that_any_reader_takes(sweep):
    _, jobs = sweep(*JOB, "model=vae", "seed=7")
    (run,) = jobs.values()
    assert json.loads((run.folder / "metrics.json").read_text(), parse_constant=pytest.fail)["seed"] == 7


def test_determinism_asked_for_by_one_job_does_not_stay_on_for_the_next(train):
    train(*JOB, "trainer.deterministic=true", folder="first")
    assert torch.are_deterministic_algorithms_enabled()
    train(*JOB, folder="second")
    assert not torch.are_deterministic_algorithms_enabled()
