"""SIGINT and SIGTERM raise Interrupted, whose exit status belongs to the signal.

So does SIGUSR2 where somebody has a handler for it: submitit's puts a Slurm job into the queue again, at once and
without a word to the training. The state is saved first, and then the signal handed on.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from latentlab.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
REQUEUE = signal.SIGUSR2


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise Interrupted at once, save while somebody within has taken them over.

    Python alone would end on SIGTERM without a word, and Lightning ends on SIGINT with status 1.
    """
    before = {number: signal.getsignal(number) for number in _ours()}
    handle(stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _ours():
        signal.signal(number, handler)


def hand_on(number: int) -> None:
    """Give a signal that stopped the run to the handler outside it, which may end the process, or raise."""
    if number == REQUEUE and REQUEUE in _ours():
        signal.raise_signal(REQUEUE)


def _ours() -> tuple[signal.Signals, ...]:
    return (*SIGNALS, REQUEUE) if callable(signal.getsignal(REQUEUE)) else SIGNALS


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
