"""A run on several devices has a process for each: when one of them is lost, the run ends soon and reports it.

Lightning accepts processes that it has not started itself, where LOCAL_RANK is set. Its own launcher would kill the
first process without a message within five seconds of another's death.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from subprocess import Popen
from typing import final

from torch.distributed import DistError

from latentlab.errors import RankLost, first_line

EVERY = 0.5  # seconds between two checks
GRACE = 20.0  # seconds for the process itself to notice: it may be drawing, or blocked in a collective operation
FIRST = "LATENTLAB_FIRST_PROCESS"  # its id, in the environment of those that it starts


@contextmanager
def watched(way_out: str, report: Callable[[RankLost], None]) -> Iterator["Ranks"]:
    """Watch the other processes of a run; with one process, nothing is done.

    A process that communicates with a lost one ends by an error; one that is still blocked after `GRACE` seconds is
    ended, after `report` was called with that error.

    Raises:
        RankLost: another process of the run is lost; the error ends in `way_out`.
    """
    ranks = Ranks(way_out, report)
    if FIRST in os.environ:  # this process is one of the others
        ranks.watch([])
    try:
        yield ranks
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        raise ranks.lost(patience=2.0) or ranks.error(_first_line(error)) from error
    finally:
        ranks.stop()


@final
class Ranks:
    """The processes of one run on this machine, and a thread that checks whether the others are alive."""

    def __init__(self, way_out: str, report: Callable[[RankLost], None]) -> None:
        self._way_out, self._report = way_out, report
        self._others: Sequence[Popen[bytes]] = ()
        self._stopped = threading.Event()
        self._environment: dict[str, str | None] = {}

    def start(self, command: Sequence[str], devices: int, variables: Mapping[str, str], folder: str) -> None:
        """Start the processes of the devices after the first, which is that of this process.

        command: of a process; its rank is appended as Hydra's job name, by which its log file is named.
        variables: of the environment of all of them, also of this process until `stop`.
        """
        own = {**variables, "LOCAL_RANK": "0"}
        self._environment = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        others = []
        for rank in range(1, devices):
            environment = {**os.environ, "LOCAL_RANK": str(rank), FIRST: str(os.getpid())}
            named = [*command, f"hydra.job.name=train_ddp_process_{rank}"]
            others.append(Popen(named, env=environment, cwd=folder))
        self.watch(others)

    def error(self, reason: str) -> RankLost:
        return RankLost(f"{reason}, and the run with it; {self._way_out}")

    def watch(self, others: Sequence[Popen[bytes]]) -> None:
        """Watch those that this process started, or with none of them the one that started it."""
        self._others = others
        threading.Thread(target=self._watch, name="ranks", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer, and restore the environment."""
        self._stopped.set()
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def lost(self, patience: float = 0.0) -> RankLost | None:
        """The lost process, waited for up to `patience` seconds: a process closes its connections before it exits."""
        deadline = time.monotonic() + patience
        while (found := self._found()) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _found(self) -> RankLost | None:
        for rank, process in enumerate(self._others, 1):
            if status := process.poll():
                return self.error(f"the process of device {rank} {_ended(status)}")
        first = os.environ.get(FIRST)
        gone = first is not None and first != str(os.getppid())
        return self.error("the process of device 0 is gone") if gone else None

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY):
            if (lost := self._found()) is not None and not self._stopped.wait(GRACE):
                self._end(lost)

    def _end(self, lost: RankLost) -> None:
        """For a main thread that is blocked in a collective operation, where no exception reaches it."""
        self._report(lost)
        for process in self._others:
            process.kill()
        print(f"error: {lost}", file=sys.stderr, flush=True)
        os._exit(1)


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _is_lost_connection(error: RuntimeError) -> bool:
    # gloo, unlike NCCL, raises a plain RuntimeError; tests/faults/test_lost_device.py fails where its text changes
    return isinstance(error, DistError) or "gloo/transport" in str(error)


def _first_line(error: RuntimeError) -> str:
    return f"the devices have lost each other ({first_line(error)[:200]})"
