"""Downloads with a timeout, a lock between processes, and errors of one line."""

import logging
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from zipfile import BadZipFile

from filelock import Timeout

from latentlab.data.one_at_a_time import one_at_a_time
from latentlab.errors import MissingData

log = logging.getLogger(__name__)

SOCKET_TIMEOUT = 15.0  # seconds without an answer
LOCK_TIMEOUT = 1800.0  # seconds for another process to download the largest data set (EMNIST, 560 MB)
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
FAILURES = (OSError, RuntimeError, HTTPException, EOFError, BadZipFile, zlib.error)


def download(name: str, root: Path, missing: Callable[[], list[Path]], fetch: Callable[[], object]) -> None:
    """Call `fetch` to download the missing files into `root`, in one process at a time; nothing where none is missing.

    Args:
        name: of the data set, for messages and the lock.
        root: the folder of data sets; created if it is missing.
        missing: returns the missing files; called again when this process holds the lock.
        fetch: downloads and unpacks.

    Raises:
        MissingData: the folder holds pictures, cannot be written to, or the download failed.
    """
    absent = missing()
    if not absent:
        return
    pictures = _pictures(root)
    if pictures:
        raise MissingData(
            f"data.root: expected a folder of data sets, such as one that holds {absent[0].relative_to(root)}, found "
            f"pictures such as {pictures[0].relative_to(root)} in {root}; nothing was downloaded to it",
            f"to train on them: data=folder data.root={root}",
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(root / f".{name}.lock", LOCK_TIMEOUT):
            absent = missing()
            if absent:
                log.info("downloading %s into %s", name, root)
                with redirect_stderr(StringIO()), redirect_stdout(StringIO()), _socket_timeout(SOCKET_TIMEOUT):
                    try:
                        fetch()
                    except BaseException:
                        _remove_empty(absent[0].parent, root)
                        raise
            absent = missing()
    except Timeout as error:
        raise _unavailable(absent, "another process has been downloading it for 30 minutes") from error
    except FAILURES as error:
        raise _unavailable(absent, _reason(error)) from error
    if absent:
        raise _unavailable(absent, "the archive does not contain it")


def _pictures(root: Path) -> list[Path]:
    """Pictures in the folder, or in the folders of classes in it."""
    try:
        return [file for file in [*root.glob("*.*"), *root.glob("*/*.*")] if file.suffix.lower() in PICTURES]
    except OSError:  # a folder was removed meanwhile
        return []


def _remove_empty(folder: Path, root: Path) -> None:
    """The folders that a failed download has made for nothing."""
    with suppress(OSError):  # of one that is not empty
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def _unavailable(absent: list[Path], reason: str) -> MissingData:
    files = absent[0].name if len(absent) == 1 else f"{absent[0].name} and {len(absent) - 1} more"
    return MissingData(
        f"data.root: expected {files} in {absent[0].parent}, found none, and downloading failed ({reason})",
        "set data.root=FOLDER or LATENTLAB_DATA to their folder, or use data=digits, which needs no files",
    )


def _reason(error: Exception) -> str:
    """The last line of the message, in which torchvision gives the cause."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """A timeout for every socket opened in the block: torchvision has no option for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
