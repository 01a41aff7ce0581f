"""A run on several devices has a process for each: when one of them is gone, so is the run, soon and with a word."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from subprocess import Popen
from typing import Any, final

from lightning.pytorch.strategies.launchers import subprocess_script
from torch.distributed import DistError

from latentlab.errors import RankLost

LAUNCHER: Any = subprocess_script  # what it has for this is private
EVERY = 0.5  # seconds between two looks
GRACE = 20.0  # seconds for the process itself to notice: it may be drawing, or wait for an answer for ever
FIRST = "LATENTLAB_FIRST_PROCESS"  # its id, in the environment of those that it starts


@contextmanager
def watched(way_out: str, tell: Callable[[RankLost], None]) -> Iterator[None]:
    """Watch over the other processes of a run; with one process, nothing is done.

    Lightning kills the first process, without a word, within five seconds of another's death. Here the process that
    waits for a lost one ends by an error; one that waits in vain is ended, after `tell` was called with that error.

    Raises:
        RankLost: another process of the run is gone; the error ends in `way_out`.
    """
    watch = _Watch(way_out, tell)
    observer = LAUNCHER._launch_process_observer
    LAUNCHER._launch_process_observer = watch.over
    if _is_first():
        os.environ[FIRST] = str(os.getpid())
    elif FIRST in os.environ:
        watch.over([])
    try:
        yield
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        raise watch.lost(patience=2.0) or watch.error(_first_line(error)) from error
    finally:
        watch.stop()
        LAUNCHER._launch_process_observer = observer


@final
class _Watch:
    """A thread that looks whether the others live."""

    def __init__(self, way_out: str, tell: Callable[[RankLost], None]) -> None:
        self._way_out, self._tell = way_out, tell
        self._others: Sequence[Popen[bytes]] = ()
        self._stopped = threading.Event()

    def error(self, reason: str) -> RankLost:
        return RankLost(f"{reason}, and the run with it; {self._way_out}")

    def over(self, others: list[Popen[bytes]]) -> None:
        """Watch those that this process started, or with none of them the one that started it."""
        self._others = others
        threading.Thread(target=self._watch, name="ranks", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def lost(self, patience: float = 0.0) -> RankLost | None:
        """Who is gone; asked again for a while, as a process closes its connections before it has ended."""
        deadline = time.monotonic() + patience
        while (found := self._found()) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _found(self) -> RankLost | None:
        for rank, process in enumerate(self._others, 1):
            if status := process.poll():
                return self.error(f"the process of device {rank} {_ended(status)}")
        first = os.environ.get(FIRST)
        gone = not _is_first() and first is not None and first != str(os.getppid())
        return self.error("the process of device 0 is gone") if gone else None

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY):
            if (lost := self._found()) is not None and not self._stopped.wait(GRACE):
                self._end(lost)

    def _end(self, lost: RankLost) -> None:
        """For a main thread that is stuck in what devices share: no exception would reach it there."""
        self._tell(lost)
        for process in self._others:
            process.kill()
        print(f"error: {lost}", file=sys.stderr, flush=True)
        os._exit(1)


def _is_first() -> bool:
    return os.environ.get("LOCAL_RANK", "0") == "0"


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _is_lost_connection(error: RuntimeError) -> bool:
    return isinstance(error, DistError) or "gloo/transport" in str(error)


def _first_line(error: RuntimeError) -> str:
    return f"the devices have lost each other ({str(error).strip().splitlines()[0][:200]})"
