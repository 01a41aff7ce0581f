"""The process of one device killed: the run ends soon, with a message, and resumes from its last checkpoint."""

import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from latentlab.runs import Run
from tests.faults.causes import done_here
from tests.forked import Forked

PAIR = [
    *("data=digits", "data.image_size=8", "data.batch_size=16", "net.widths=[16]", "callbacks=no_pictures"),
    *("logger=none", "optimizer=sgd", "optimizer.lr=1e-4", "trainer.accelerator=cpu", "trainer.max_epochs=4"),
]
SECONDS = 60  # bounded: Lightning and the back ends would wait for half an hour


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The metrics that two devices must have, of one that was left alone."""
    return done_here(tmp_path_factory.mktemp("undisturbed"), *PAIR)


def second(first: Forked) -> psutil.Process:
    """The process of the second device."""
    return next(c for c in first.children() if "latentlab.__main__" in c.cmdline())


@pytest.fixture
def pair(tmp_path):
    """A run on two devices after its first epoch."""
    run = Run(tmp_path / "run")
    first = Forked("train", *PAIR, "trainer=ddp", f"hydra.run.dir={run.folder}")
    try:
        first.wait_until(lambda: run.last_checkpoint)
        yield run, first, second(first)
    finally:
        if first.poll() is None:
            first.kill_group()


def end_by_killing_the_second(pair):
    """The run, after its second process was killed."""
    run, first, other = pair
    other.kill()
    status, output = first.finish(SECONDS)
    assert status == 1, output
    (line,) = re.findall(r"^error: .*", output, re.MULTILINE)
    assert line.startswith("error: the process of device 1 was ended by SIGKILL, and the run with it; to resume: ")
    assert line.endswith(f"latentlab train resume={run.folder}")
    assert "Traceback" not in output
    assert run.status["status"] == "interrupted"
    assert "device 1" in run.status["reason"]
    return run


@pytest.mark.slow
def test_the_second_of_two_devices_killed(pair):
    end_by_killing_the_second(pair)


@pytest.mark.long
def test_the_run_of_a_killed_device_resumes_to_the_metrics_of_one_left_alone(pair, undisturbed):
    run = end_by_killing_the_second(pair)
    status, output = Forked("train", f"resume={run.folder}").finish()
    assert status == 0, output
    assert run.metrics["device"] == "2 x cpu"
    assert run.metrics["steps"] == undisturbed["steps"]
    assert run.metrics["metrics"] == pytest.approx(undisturbed["metrics"], rel=1e-5)


@pytest.mark.long
def test_the_first_of_two_devices_killed(pair):
    run, first, other = pair
    first.send_signal(signal.SIGKILL)
    assert first.finish(SECONDS)[0] == -signal.SIGKILL
    psutil.wait_procs([other], timeout=SECONDS)
    assert not other.is_running() or other.status() == psutil.STATUS_ZOMBIE
    output = first.output
    assert "error: the process of device 0 is gone, and the run with it; to resume: " in output
    assert "Traceback" not in output
    assert run.status == {"status": "interrupted", "reason": "its process exited without writing a status"}


STUCK = """
import subprocess, sys, time
from latentlab.processes import ranks
ranks.EVERY, ranks.GRACE = 0.05, 0.5
with ranks.watched("start anew", lambda lost: print("reported:", lost, flush=True)) as watch:
    others = [subprocess.Popen([sys.executable, "-c", code]) for code in ("import time; time.sleep(99)", "exit(3)")]
    watch.watch(others)
    time.sleep(99)
"""


def test_a_process_that_is_blocked_is_ended_with_the_others():
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=SECONDS)
    assert time.monotonic() - started < SECONDS
    assert done.returncode == 1
    message = "the process of device 2 ended with status 3, and the run with it; start anew\n"
    assert done.stdout == f"reported: {message}"
    assert done.stderr == f"error: {message}"


def test_other_errors_are_left_as_they_are():
    from latentlab.processes.ranks import watched

    reported: list[object] = []
    with pytest.raises(RuntimeError, match="shapes do not fit"), watched("", reported.append):
        raise RuntimeError("shapes do not fit")
    assert not reported
