"""One process at a time downloads or decodes a data set, or trains what measures it; the others wait, and say so."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)


@contextmanager
def one_at_a_time(file: Path, seconds: float) -> Iterator[None]:
    """Hold the lock `file`, after waiting at most `seconds` for the process that holds it.

    Raises:
        OSError: the file cannot be made, or written to.
        filelock.Timeout: another process still holds it.
    """
    file.open("a").close()  # some file systems refuse it in a way in which filelock would wait without end
    lock = FileLock(file)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting up to %.0f minutes for the process that holds %s", seconds / 60, file)
            lock.acquire(timeout=seconds)
    except NotImplementedError:
        log.warning("%s: this file system has no locks; make sure that only one process writes there", file.parent)
    try:
        yield
    finally:
        lock.release()
