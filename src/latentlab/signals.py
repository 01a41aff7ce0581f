"""SIGINT and SIGTERM raise Interrupted, whose exit status belongs to the signal."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from latentlab.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise Interrupted at once, save while somebody within has taken them over.

    Python alone would end on SIGTERM without a word, and Lightning ends on SIGINT with status 1.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handle(stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in SIGNALS:
        signal.signal(number, handler)


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
