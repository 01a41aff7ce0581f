"""A worker whose launcher was killed: it saves and ends, as by SIGTERM.

Left alone, joblib's workers go on with the jobs already handed out and then wait for ever for somebody to take the
results: each of them keeps the other's end of the pipe open.
"""

from __future__ import annotations

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

SECONDS = 0.5  # between two looks at the launcher
_in_hand = threading.Lock()


@contextmanager
def ended_with_its_launcher() -> Iterator[None]:
    """In a worker process, a job that gets SIGTERM once the launcher is gone; the process ends when it has answered."""
    launcher = parent_process()
    if launcher is None or launcher.pid is None:
        yield
        return
    with _in_hand:
        _watch(launcher.pid)
        yield


@cache
def _watch(launcher: int) -> None:
    threading.Thread(target=_end_without, args=(launcher, threading.get_ident()), name="launcher", daemon=True).start()


def _end_without(launcher: int, at_work: int) -> None:
    while os.getppid() == launcher:
        time.sleep(SECONDS)
    log.warning("the launcher, process %d, is gone", launcher)
    if _in_hand.locked():
        signal.pthread_kill(at_work, signal.SIGTERM)  # to the thread itself, which may be waiting in a system call
    with _in_hand:
        os._exit(128 + signal.SIGTERM)
