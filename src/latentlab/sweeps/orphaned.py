"""A worker process whose launcher was killed saves its state and ends, as by SIGTERM.

By itself, a worker of joblib would run the jobs that it has received and then wait without end for its results to be
read: the workers keep each other's end of the pipe open.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import parent_process

log = logging.getLogger(__name__)

SECONDS = 0.5  # between two checks of the launcher
_job_running = threading.Lock()


@contextmanager
def ended_with_its_launcher() -> Iterator[None]:
    """In a worker process, send SIGTERM to the job once the launcher is gone, and exit when the job has ended."""
    launcher = parent_process()
    if launcher is None or launcher.pid is None:
        yield
        return
    with _job_running:
        _watch(launcher.pid)
        yield


@cache
def _watch(launcher: int) -> None:
    threading.Thread(target=_end_without, args=(launcher, threading.get_ident()), name="launcher", daemon=True).start()


def _end_without(launcher: int, worker: int) -> None:
    while os.getppid() == launcher:
        time.sleep(SECONDS)
    log.warning("the launcher, process %d, is gone", launcher)
    if _job_running.locked():
        signal.pthread_kill(worker, signal.SIGTERM)  # to the job's thread, which may be blocked in a system call
    with _job_running:
        os._exit(128 + signal.SIGTERM)
