"""A run whose processes srun or torchrun has started: what they read from the environment, and that they make one."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.errors import Interrupted
from latentlab.processes.launcher import common_name, is_first, started, started_by_a_launcher, was_requeued
from latentlab.processes.signals import REQUEUE, forward, interruptible
from latentlab.runs import Run
from latentlab.runs.resume_state import should_resume

BATCH_SCRIPT = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "train"}
SECOND_TASK = {**BATCH_SCRIPT, "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"}
BY_HAND = {**SECOND_TASK, "SLURM_JOB_NAME": "interactive"}
TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "4", "RANK": "2", "LOCAL_RANK": "0"}


@pytest.mark.parametrize(
    ("variables", "by_a_launcher", "processes", "first"),
    [
        ({}, False, 1, True),
        ({"LOCAL_RANK": "1"}, False, 1, False),  # started by latentlab
        (BATCH_SCRIPT, True, 1, True),
        (SECOND_TASK, True, 2, False),
        (BY_HAND, False, 1, False),
        (TORCHRUN, True, 4, False),
        ({**BATCH_SCRIPT, **TORCHRUN, "RANK": "0"}, True, 4, True),
    ],
)
def test_what_the_environment_variables_mean(variables, by_a_launcher, processes, first):
    assert started_by_a_launcher(variables) is by_a_launcher
    assert started(variables) == processes
    assert is_first(variables) is first


def test_the_tasks_of_slurm_have_one_name_that_stays_when_the_job_is_started_again():
    again = {**SECOND_TASK, "SLURM_RESTART_COUNT": "1"}
    assert common_name("mine", SECOND_TASK) == common_name("other", again) == "slurm_7_0"
    assert (was_requeued(SECOND_TASK), was_requeued(again)) == (False, True)
    assert common_name("mine", BATCH_SCRIPT) == common_name("mine", {}) == "mine"


def test_a_requeue_signal_is_forwarded_to_its_handler_after_the_run_has_ended(monkeypatch):
    received = []
    before = signal.signal(REQUEUE, lambda number, frame: received.append(number))
    try:
        with pytest.raises(Interrupted) as caught, interruptible():
            signal.raise_signal(REQUEUE)
        assert received == []
        forward(caught.value.signal_number)
        forward(signal.SIGTERM)
        assert received == [REQUEUE]
    finally:
        signal.signal(REQUEUE, before)
    assert caught.value.code == 128 + REQUEUE


def test_the_signal_is_not_handled_where_no_handler_requeues_jobs():
    assert signal.getsignal(REQUEUE) is signal.SIG_DFL
    with interruptible():
        assert signal.getsignal(REQUEUE) is signal.SIG_DFL


def test_a_further_process_decides_as_the_first_does_and_deletes_nothing(train):
    arguments = ("data=digits", "data.image_size=8", "trainer=smoke", "callbacks=no_pictures", "logger=none")
    run = train(*arguments)
    config = run.config
    assert should_resume(run, config, may_clear=False)
    (run.folder / "metrics.json").unlink()
    run.write_status("failed", "a reason")
    before = sorted(run.folder.rglob("*"))
    assert not should_resume(run, config, may_clear=False)
    assert sorted(run.folder.rglob("*")) == before
    assert not should_resume(run, config)
    assert not should_resume(run, config, may_clear=False)


def torchrun(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    launcher = ["torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}", "-m", "latentlab", "train"]
    command = [sys.executable, "-m", *launcher, "data=digits", "data.image_size=8", "trainer.max_epochs=1", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
def test_the_processes_of_torchrun_make_one_run(tmp_path, train):
    setting = ["callbacks=no_pictures", "logger=none", "optimizer=sgd", "optimizer.lr=1e-4", "trainer.accelerator=cpu"]
    done = torchrun(tmp_path, *setting, "trainer=ddp", "trainer.devices=2")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "outputs" / "runs").iterdir()
    metrics = Run(folder).metrics
    assert metrics["device"] == "2 x cpu"
    alone = train("data=digits", "data.image_size=8", "trainer.max_epochs=1", *setting)
    assert metrics["metrics"] == pytest.approx(alone.metrics["metrics"], rel=1e-5)


@pytest.fixture
def first_of_two_tasks(monkeypatch):
    for name, value in {**SECOND_TASK, "SLURM_PROCID": "0", "SLURM_NTASKS_PER_NODE": "2"}.items():
        monkeypatch.setenv(name, value)


def test_more_processes_than_devices_are_refused(first_of_two_tasks, train, capfd):
    train("data=digits", "data.image_size=8", "trainer=smoke", "logger=none", status=1)
    error = capfd.readouterr().err
    assert "error: trainer.devices: 1 on each of 1 nodes, but Slurm or torchrun has started 2 processes" in error


def test_a_sweep_in_several_processes_is_refused(first_of_two_tasks, run_hydra, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert run_hydra(["-m", "data=digits", "seed=0,1"]) == 1
    assert "error: -m: a sweep starts the processes of its jobs itself" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
