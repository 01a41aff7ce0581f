"""What an exception means: a user's mistake is one line and a status, anything else keeps its traceback."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hydra.errors import HydraException, InstantiationException
from omegaconf.errors import OmegaConfBaseException

from latentlab.config.instantiation import refusal
from latentlab.config.messages import from_omegaconf, one_line
from latentlab.errors import UserError
from latentlab.processes.reader import READER_GONE, error_of_stdout, reader_has_gone

MAX_MESSAGE = 2000  # characters of an error line


def exit_status(run: Callable[[], int]) -> int:
    """That of a command line: what `run` returns, or else what it raises means.

    1 after a user's mistake, which is one line on stderr, `error: KEY: ...`; 130 after Ctrl-C; that of a SystemExit;
    141 without any output where nobody reads stdout, as after `| head -1`.

    Raises:
        Exception: any exception that is not a user's mistake.
    """
    try:
        status = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except Exception as error:
        if isinstance(error, BrokenPipeError) and reader_has_gone():
            return READER_GONE
        message = mistake(error)
        if message is None:
            raise
        if len(message) > MAX_MESSAGE:  # the mistake is at the beginning, the way out at the end
            message = f"{message[: MAX_MESSAGE // 2]} ... {message[-MAX_MESSAGE // 2 :]}"
        print(f"error: {message}", file=sys.stderr)
        return 1
    return status


@contextmanager
def mistakes_raised() -> Iterator[None]:
    """Every mistake of a user's inside is raised as a UserError with its line."""
    try:
        yield
    except Exception as error:
        message = None if isinstance(error, UserError) else mistake(error)
        if message is None:
            raise
        raise UserError(message) from error


def mistake(error: Exception) -> str | None:
    """A user's mistake in one line; None for any other exception, which keeps its traceback."""
    if not _has_current_folder():
        return "the current folder was deleted or moved; change to one that exists"
    name = type(error).__name__  # of classes of torch and Lightning, which are not imported here
    if isinstance(error, InstantiationException):
        return refusal(error)
    if isinstance(error, OmegaConfBaseException):
        return from_omegaconf(error)
    if isinstance(error, UserError | HydraException) or name == "MisconfigurationException":
        return one_line(str(error))
    if name in ("OutOfMemoryError", "MemoryError") or "can't allocate memory" in str(error):
        return "out of memory; lower data.batch_size, model.latent_dim or net.widths, or free the device"
    if isinstance(error, ValueError) and isinstance(error.__cause__, OSError):  # logging's, of a log file
        return mistake(error.__cause__)
    if isinstance(error, OSError):  # a full or read-only disk, a file where a folder should be
        if error.filename is None and error_of_stdout() is not None:
            return f"standard output: {error.strerror or error}"
        key, advice = (error.filename, "; see paths.output_dir") if error.filename else ("paths.output_dir", "")
        return one_line(f"{key}: {error.strerror or error}{advice}")
    return None


def _has_current_folder() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
