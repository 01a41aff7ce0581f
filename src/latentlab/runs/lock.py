"""One process at a time in a folder. The lock is the operating system's: released when the process exits, however."""

import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from latentlab.errors import UserError
from latentlab.runs.layout import LOCK, LOCK_HOLDER

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds: a process that only checks whether it is held, holds it for a moment


@contextmanager
def held(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the folder's lock, after waiting for it at most `patience` seconds.

    Raises:
        UserError: another process holds it, or nothing can be written there.
    """
    lock = FileLock(folder / LOCK, timeout=patience)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOCK).open("a").close()  # some file systems refuse it in a way that filelock takes for a held lock
        lock.acquire()
        (folder / LOCK_HOLDER).write_text(json.dumps(_this_process()) + "\n")
    except Timeout as error:
        raise UserError(f"{folder} is in use by {holder(folder)}; wait until it ends, or stop it") from error
    except NotImplementedError:
        log.warning("%s: this file system has no locks; make sure that only one process writes there", folder)
    except OSError as error:
        lock.release()
        raise UserError(f"paths.output_dir: cannot write to {folder}: {error.strerror}") from error
    try:
        yield
    finally:
        (folder / LOCK_HOLDER).unlink(missing_ok=True)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder's lock."""
    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False


def holder(folder: Path) -> str:
    """Which process holds the folder's lock, as it wrote beside it."""
    try:
        who = json.loads((folder / LOCK_HOLDER).read_text())
        return f"process {who['process']} on {who['host']} since {who['since']} ({who['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _this_process() -> dict[str, str | int]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    since = datetime.now().isoformat(" ", "seconds")
    return {"process": os.getpid(), "host": socket.gethostname(), "since": since, "command": command[:200]}
