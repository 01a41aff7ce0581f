"""A sweep, its job or one device killed at any moment: the same command ends in the results of an undisturbed one."""

import json
import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from latentlab.runs import Run
from tests.called import called
from tests.forked import Forked
from tests.sweeps.short_sweeps import JOB

SETTING = [*JOB, "data.batch_size=8", "trainer.max_epochs=3", "model=ae,vae", "seed=0,1"]
TWO_AT_ONCE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def start(folder: Path, *arguments: str) -> Forked:
    return Forked("train", "-m", *arguments, f"hydra.sweep.dir={folder}")


def end(folder: Path) -> None:
    """The same command again, which is to succeed."""
    done = called("train", "-m", *SETTING, f"hydra.sweep.dir={folder}")
    assert done.returncode == 0, done.stderr


def metrics(folder: Path) -> dict[str, dict[str, float]]:
    files = folder.glob("*/metrics.json")
    return {file.parent.name: json.loads(file.read_text())["metrics"] for file in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "sweep"
    end(folder)
    return metrics(folder)


@pytest.mark.long  # each of its kills is a test of its own in small
def test_a_sweep_killed_again_and_again_ends_as_one_left_alone(tmp_path, undisturbed):
    folder = tmp_path / "sweep"
    draw = random.Random(5)
    for checkpoints in (1, 2, 4):
        process = start(folder, *SETTING)
        process.wait_until(lambda: len(list(folder.glob("*/checkpoints/last.ckpt"))) >= checkpoints)  # noqa: B023
        time.sleep(draw.uniform(0, 0.1))
        process.kill_group()
        assert process.finish()[0] == -signal.SIGKILL
    end(folder)
    assert metrics(folder) == undisturbed


@pytest.mark.long  # that of a run, and the resuming of a sweep, are tests of their own
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_whole_sweep_with_its_own_status(tmp_path, undisturbed, number, status):
    folder = tmp_path / "sweep"
    process = start(folder, *SETTING)
    process.wait_until(lambda: list(folder.glob("*/checkpoints/last.ckpt")))
    process.send_signal(number)
    code, output = process.finish()
    assert code == status, output
    assert "Traceback" not in output
    assert len(metrics(folder)) < len(undisturbed)
    end(folder)
    assert metrics(folder) == undisturbed


def workers(launcher: Forked) -> list[int]:
    return [
        child.pid
        for child in launcher.children()
        if "loky" in " ".join(child.cmdline()) and "resource_tracker" not in " ".join(child.cmdline())
    ]


@pytest.mark.long
def test_a_worker_that_is_killed_does_not_take_the_other_jobs_with_it(tmp_path, undisturbed):
    folder = tmp_path / "sweep"
    process = start(folder, *SETTING, *TWO_AT_ONCE)
    process.wait_until(lambda: list(folder.glob("*/metrics.json")))
    os.kill(workers(process)[0], signal.SIGKILL)
    status, _ = process.finish()
    if status != 0:  # the killed job was the last: nothing was gained since
        end(folder)
    assert metrics(folder) == undisturbed


@pytest.mark.long
def test_a_job_whose_worker_is_killed_each_time_has_failed_and_the_others_run(tmp_path, undisturbed):
    folder = tmp_path / "sweep"
    kill = ["+callbacks.kill._target_=tests.faults.causes.KillWorker", "+callbacks.kill.seed=0"]
    process = start(folder, *SETTING, "model=ae", "seed=0,1,2", *TWO_AT_ONCE, *kill)
    status, output = process.finish()
    assert status == 1
    assert "Traceback" not in output
    assert "error: 1 of 3 jobs failed: seed=0 (killed, perhaps out of memory)" in output
    assert metrics(folder).keys() == {"seed=1", "seed=2"}
    assert metrics(folder)["seed=1"] == undisturbed["model=ae,seed=1"]


@pytest.mark.slow
def test_a_killed_launcher_takes_its_workers_with_it(tmp_path):
    folder = tmp_path / "sweep"
    long = "trainer.max_epochs=100000"  # no worker comes to the end of a job by itself
    process = start(folder, *SETTING, *TWO_AT_ONCE, long)
    process.wait_until(lambda: len(list(folder.glob("*/checkpoints/last.ckpt"))) == 2)
    left = [psutil.Process(number) for number in workers(process)]
    assert len(left) == 2
    process.send_signal(signal.SIGKILL)
    process.finish()
    assert not psutil.wait_procs(left, timeout=60)[1]
    begun = [Run(job) for job in folder.glob("*=*") if (job / "status.json").is_file()]
    assert [(run.status["status"], run.status["reason"]) for run in begun] == [("interrupted", "signal 15")] * 2


@pytest.mark.long
def test_a_sweep_whose_launcher_was_killed_ends_as_one_left_alone(tmp_path, undisturbed):
    folder = tmp_path / "sweep"
    process = start(folder, *SETTING, *TWO_AT_ONCE)
    process.wait_until(lambda: list(folder.glob("*/checkpoints/last.ckpt")))
    process.send_signal(signal.SIGKILL)
    process.finish()
    end(folder)
    assert metrics(folder) == undisturbed
