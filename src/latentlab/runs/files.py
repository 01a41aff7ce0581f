"""Atomic writes and names of whole files and lines, and metrics in a form that every JSON reader accepts."""

import errno
import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_DRAFT = re.compile(r"\..+\.\d+")
MAX_LINE_BYTES = 2**16  # of a line that is added to a file
MAX_NAME_BYTES = 200  # file systems take 255


def is_name(text: str) -> bool:
    """Whether a file or folder may be named so, and a config reads it as it is: `$` may begin a reference."""
    is_odd = "/" in text or "$" in text or not text.isprintable() or text in ("", ".", "..")
    return not is_odd and len(text.encode(errors="replace")) <= MAX_NAME_BYTES


def write_atomically(file: Path, content: str | bytes | memoryview) -> None:
    """Write the whole file or nothing.

    Raises:
        OSError: it cannot be written, as on a full disk; the error names the file.
    """
    draft = _draft_of(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(file)) from error
    finally:
        with suppress(OSError):  # where it could not be created, it cannot be deleted
            draft.unlink(missing_ok=True)


def _draft_of(file: Path) -> Path:
    """Where this process writes before the file gets its name; as `_DRAFT` describes it."""
    return file.with_name(f".{file.name}.{os.getpid()}")


def remove_drafts(*folders: Path) -> None:
    """Delete what processes that were killed left of unfinished writes; no other process may be writing there."""
    for folder in folders:
        for draft in folder.glob(".*.*"):
            if _DRAFT.fullmatch(draft.name):
                draft.unlink(missing_ok=True)


def link_atomically(file: Path, name: Path) -> bool:
    """Give the file a second name, in place of what had it; False where it cannot have one, as on some file systems."""
    draft = _draft_of(name)
    try:
        os.link(file, draft)
        draft.replace(name)
    except OSError:
        return False
    finally:
        with suppress(OSError):  # still there where both names were the file's already
            draft.unlink(missing_ok=True)
    return True


def append_line(file: Path, line: str) -> None:
    """Append the whole line or nothing; an unfinished last line, left by an earlier kill, is removed first.

    Raises:
        OSError: it cannot be written, as on a full disk; the error names the file.
    """
    try:
        with file.open("ab+", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, end - MAX_LINE_BYTES))
            tail = stream.read()
            whole = end - len(tail) + tail.rfind(b"\n") + 1
            if whole < end:
                stream.truncate(whole)
            added = f"{line}\n".encode()
            if stream.write(added) != len(added):
                stream.truncate(whole)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


def for_json(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Metrics in a form that any reader of JSON accepts: what is not finite is null."""
    return {name: None if value is None or not math.isfinite(value) else value for name, value in metrics.items()}
