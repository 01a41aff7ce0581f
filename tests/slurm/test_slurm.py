"""Sweeps on a real Slurm, by Hydra's launcher for it. Run by `make slurm`, which may install Slurm."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latentlab.runs import Run
from tests.slurm.cluster import NoSlurmError, running
from tests.sweeps.short_sweeps import JOB

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install hydra-submitit-launcher")
pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]

ON_SLURM = "hydra/launcher=submitit_slurm"
LONG = [*JOB, "data.batch_size=8", "trainer.max_epochs=12", "model=vae"]  # a checkpoint an epoch
STRAIGHT = ["optimizer=sgd", "optimizer.lr=1e-4"]  # Adam would blow up the rounding of another order of summation


@pytest.fixture(scope="module")
def slurm():
    """The environment of its commands."""
    try:
        with running() as environment:
            free = {name: value for name, value in environment.items() if not name.startswith("LATENTLAB")}
            yield {**free, "OMP_NUM_THREADS": "1"}
    except NoSlurmError as reason:
        pytest.skip(f"no Slurm: {reason}")


@pytest.fixture
def start(slurm, tmp_path):
    """Arguments -> a sweep that is under way in `tmp_path`."""

    def started(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "latentlab", "train", "-m", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=slurm, cwd=tmp_path, text=True, **pipes)

    return started


@pytest.fixture
def sweep(start, tmp_path):
    """Arguments -> exit status, output and folder of a sweep."""

    def swept(name: str, *arguments: str) -> tuple[int, str, Path]:
        process = start(*arguments, f"sweep.name={name}")
        output, _ = process.communicate(timeout=600)
        return process.returncode, output, tmp_path / "outputs" / "sweeps" / name

    return swept


@pytest.fixture
def slurm_command(slurm):
    """A command of Slurm's -> what it prints."""
    return lambda *command: subprocess.run(command, env=slurm, capture_output=True, text=True, check=True).stdout


def metrics(folder: Path) -> dict[str, dict[str, float]]:
    return {file.parent.name: json.loads(file.read_text())["metrics"] for file in folder.glob("*/metrics.json")}


def wait_until(condition, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sweep_has_the_metrics_of_one_in_this_process_and_is_not_repeated(sweep):
    arguments = (*JOB, "model=ae", "seed=0,1,2")
    status, output, here = sweep("here", *arguments)
    assert status == 0, output
    status, output, there = sweep("there", *arguments, ON_SLURM)
    assert status == 0, output
    assert metrics(there) == metrics(here)
    assert len(metrics(there)) == 3
    submitted = sorted(os.listdir(there / ".submitit"))
    status, output, _ = sweep("there", *arguments, ON_SLURM)
    assert status == 0, output
    assert "3 jobs, 3 of them complete" in output
    assert sorted(os.listdir(there / ".submitit")) == submitted


def test_a_job_of_two_tasks_is_one_run_of_two_devices(sweep):
    arguments = (*JOB, *STRAIGHT, "model=vae", "trainer=ddp", "trainer.accelerator=cpu", "seed=0")
    status, output, one = sweep("one", *arguments, "trainer.devices=1", "trainer.strategy=auto")
    assert status == 0, output
    tasks = (ON_SLURM, "hydra.launcher.tasks_per_node=2", "trainer.devices=2")
    status, output, two = sweep("two", *arguments, *tasks)
    assert status == 0, output
    (alone,), (shared,) = metrics(one).values(), metrics(two).values()
    assert shared == pytest.approx(alone, rel=1e-5)
    (file,) = two.glob("*/metrics.json")
    assert json.loads(file.read_text())["device"] == "2 x cpu"
    assert (file.parent / "history.jsonl").read_text().count("val/bce") == 1  # of one process


def test_devices_without_a_task_each_are_refused(sweep):
    arguments = (*JOB, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "seed=0")
    status, output, _ = sweep("refused", *arguments, ON_SLURM)
    assert status == 1
    assert "hydra.launcher.tasks_per_node=2" in output.splitlines()[-1]


def test_a_failing_job_is_reported_and_the_others_are_finished(sweep):
    arguments = (*JOB, "model=ae", "likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e-4,1e5,1e-3")
    status, output, folder = sweep("failing", *arguments, ON_SLURM)
    assert status == 1
    assert output.splitlines()[-1].startswith("error: 1 of 3 jobs failed: optimizer.lr=100000.0 (NonFiniteObjective")
    assert metrics(folder).keys() == {"optimizer.lr=0.0001", "optimizer.lr=0.001"}
    failed = Run(folder / "optimizer.lr=100000.0")
    assert "not finite" in failed.status["reason"]
    assert "not finite" in (failed.folder / "train.log").read_text()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    command = [sys.executable, "-m", "latentlab", "train", "-m", *LONG, "seed=0,1", f"hydra.sweep.dir={folder}"]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return metrics(folder)


@pytest.mark.parametrize(
    "command", [("scontrol", "requeue"), ("scancel", "--signal=USR2")], ids=["requeued", "preempted"]
)
def test_a_job_that_comes_into_the_queue_again_ends_as_one_left_alone(
    start, slurm_command, tmp_path, undisturbed, command
):
    process = start(*LONG, "seed=0,1", ON_SLURM, "sweep.name=again")
    folder = tmp_path / "outputs" / "sweeps" / "again"
    wait_until(lambda: Run(folder / "seed=0").last_checkpoint)
    (job,) = (folder / ".submitit").glob("*_0")
    slurm_command(*command, job.name)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert metrics(folder) == undisturbed
    log = (folder / "seed=0" / "train.log").read_text()
    assert log.count("saving, then stopping") == 1
    assert log.count("resuming from") == 1
    assert re.findall(r"epoch (\d+)/12", log) == [str(epoch) for epoch in range(1, 13)]  # none was trained twice


def test_a_job_out_of_time_has_saved_its_state_and_is_resumed(start, sweep, slurm_command, tmp_path, undisturbed):
    # ten minutes: submitit takes any signal as the end of so short a time
    process = start(*LONG, "seed=0,1", ON_SLURM, "hydra.launcher.timeout_min=10", "sweep.name=late")
    folder = tmp_path / "outputs" / "sweeps" / "late"
    wait_until(lambda: Run(folder / "seed=0").last_checkpoint)
    (job,) = (folder / ".submitit").glob("*_0")
    slurm_command("scancel", "--signal=USR2", job.name)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 1, output
    assert "error: 1 of 2 jobs failed: seed=0 (signal 12)" in output.splitlines()[-1]
    assert Run(folder / "seed=0").status["status"] == "interrupted"
    status, output, _ = sweep("late", *LONG, "seed=0,1", ON_SLURM)
    assert status == 0, output
    assert metrics(folder) == undisturbed


def test_a_run_that_srun_starts_resumes_in_its_own_folder(slurm, slurm_command, tmp_path, undisturbed):
    tasks = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "seed=0")
    script = tmp_path / "job.sh"
    script.write_text(f"#!/bin/bash\nsrun {sys.executable} -m latentlab train {' '.join([*LONG, *tasks])}\n")
    job = slurm_command("sbatch", "--parsable", "--requeue", "--ntasks-per-node=2", f"--chdir={tmp_path}", str(script))
    run = Run(tmp_path / "outputs" / "runs" / f"slurm_{job.strip()}_vae_digits_0")
    wait_until(lambda: run.last_checkpoint)
    slurm_command("scontrol", "requeue", job.strip())
    wait_until(lambda: run.metrics)
    assert list(run.folder.parent.iterdir()) == [run.folder]
    assert run.metrics["device"] == "2 x cpu"
    log = (run.folder / "train.log").read_text()
    assert log.count("resuming from") == 2  # once a process
    assert re.findall(r"epoch (\d+)/12", log) == [str(epoch) for epoch in range(1, 13)]
    # Adam makes more of the rounding of another order of summation
    assert run.metrics["metrics"]["val/objective_final"] == pytest.approx(
        undisturbed["seed=0"]["val/objective_final"], rel=1e-2
    )
