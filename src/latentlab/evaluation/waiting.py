"""How long a piece of work that takes minutes has still to go, in the log."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

EVERY = 10.0  # seconds between two lines

log = logging.getLogger(__name__)


def reported(steps: Iterable[T], total: int, work: str) -> Iterator[T]:
    """The steps themselves; while they are worked on, a line every ten seconds."""
    started = latest = time.perf_counter()
    for done, step in enumerate(steps):
        now = time.perf_counter()
        if done and now - latest >= EVERY:
            log.info("%s: %d %%, about %.0f s left", work, 100 * done // total, (now - started) * (total - done) / done)
            latest = now
        yield step
