"""Errors of a full or lost disk in threads other than the main one."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def disk_errors_in_a_line() -> Iterator[None]:
    """An OSError that ends a thread is one line: TensorBoard raises it again in its next caller."""
    before = threading.excepthook

    def report(ended: threading.ExceptHookArgs) -> None:
        if isinstance(ended.exc_value, OSError):
            log.warning("%s: %s", ended.thread.name if ended.thread else "a thread", ended.exc_value)
        else:
            before(ended)

    threading.excepthook = report
    try:
        yield
    finally:
        threading.excepthook = before
