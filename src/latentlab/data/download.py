"""Downloads that neither hang, nor run twice at once, nor end in a traceback."""

import logging
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from zipfile import BadZipFile

from filelock import FileLock, Timeout

from latentlab.errors import MissingData

log = logging.getLogger(__name__)

SOCKET_TIMEOUT = 15.0  # seconds without an answer
LOCK_TIMEOUT = 1800.0  # seconds: as long as another process may take over the largest set (EMNIST, 560 MB)
FAILURES = (OSError, RuntimeError, HTTPException, EOFError, BadZipFile, zlib.error)


def download(name: str, root: Path, missing: Callable[[], list[Path]], fetch: Callable[[], object]) -> None:
    """Have `fetch` put the missing files into `root`, one process at a time.

    Args:
        name: the dataset, for messages and the lock.
        root: the folder that holds datasets; made where it is missing.
        missing: says which files are not there; asked again once this process has the lock.
        fetch: downloads and unpacks.

    Raises:
        MissingData: the folder cannot be written to, or the download failed.
    """
    absent = missing()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{name}.lock", timeout=LOCK_TIMEOUT):
            absent = missing()
            if absent:
                log.info("downloading %s into %s", name, root)
                with _quietly(), _socket_timeout(SOCKET_TIMEOUT):
                    fetch()
            absent = missing()
    except Timeout as error:
        raise _not_to_be_had(absent, "another process has been downloading it for 30 minutes") from error
    except FAILURES as error:
        raise _not_to_be_had(absent, _reason(error)) from error
    if absent:
        raise _not_to_be_had(absent, "the archive does not hold it")


def _not_to_be_had(absent: list[Path], reason: str) -> MissingData:
    files = absent[0].name if len(absent) == 1 else f"{absent[0].name} and {len(absent) - 1} more"
    return MissingData(
        f"data.root: expected {files} in {absent[0].parent}, found none, and downloading failed ({reason});"
        " set data.root=FOLDER or LATENTLAB_DATA to where they are, or take data=digits, which needs no files"
    )


def _reason(error: Exception) -> str:
    """The last line of a message: torchvision puts the cause there."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


@contextmanager
def _quietly() -> Iterator[None]:
    with redirect_stderr(StringIO()), redirect_stdout(StringIO()):
        yield


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """A limit for every socket opened inside: torchvision lets none be set."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
