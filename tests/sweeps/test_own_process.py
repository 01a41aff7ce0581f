"""A job in a process of its own receives the signals of the sweep, and the time to stop by itself."""

import os
import signal
import sys
import threading
import time

import pytest

from latentlab.errors import Interrupted
from latentlab.sweeps.own_process import _status

SLOW_TO_STOP = """
import pathlib, signal, sys, time
def stop(number, frame):
    time.sleep(0.5)
    pathlib.Path("saved").touch()
    sys.exit(128 + number)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, stop)
pathlib.Path("ready").touch()
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_forwarded_and_the_end_of_the_job_waited_for(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)

    def send() -> None:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    before = signal.signal(number, signal.default_int_handler)  # under nohup, SIGHUP is ignored
    threading.Thread(target=send, daemon=True).start()
    with pytest.raises(Interrupted) as caught:
        _status([sys.executable, "-c", SLOW_TO_STOP], dict(os.environ))
    assert caught.value.code == 128 + number
    assert (tmp_path / "saved").exists()
    assert signal.signal(number, before) is signal.default_int_handler


def test_the_status_of_the_command_is_returned():
    assert _status([sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ)) == 3
