"""SIGINT, SIGTERM and SIGHUP raise Interrupted, whose exit status belongs to the signal.

So does SIGUSR2 where a handler is installed for it: submitit's requeues a Slurm job at once, without notice to the
training. The state is saved first, and the signal is then forwarded.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from latentlab.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REQUEUE = signal.SIGUSR2


@contextmanager
def interruptible() -> Iterator[None]:
    """The signals raise Interrupted at once, except while code inside has installed handlers of its own.

    Python alone would end on SIGTERM without a message, and Lightning ends on SIGINT with status 1.
    """
    before = {number: signal.getsignal(number) for number in _handled()}
    handle(stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _handled():
        signal.signal(number, handler)


def forward(number: int) -> None:
    """Send a signal that stopped the run to the handler outside it, which may end the process, or raise."""
    if number == REQUEUE and REQUEUE in _handled():
        signal.raise_signal(REQUEUE)


def ending() -> list[signal.Signals]:
    """The signals that end a run, without those that the process ignores, as by nohup."""
    return [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]


def _handled() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():  # as of a notebook's widget: Python allows no other
        return []
    return [*ending(), *([REQUEUE] if callable(signal.getsignal(REQUEUE)) else [])]


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
