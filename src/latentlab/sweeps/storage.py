"""Where a search keeps its trials: a journal in the sweep's folder, or a database that all its machines reach.

Jobs write to it from inside the training, on a cluster from several nodes: SQLite's locks are not reliable on a network
file system, whereas the journal's lock is a file that only one process can create.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from latentlab.errors import ConfigError, UserError
from latentlab.runs.layout import SEARCH_DATABASE, SEARCH_JOURNAL, SEARCH_STUDY

KEY = "hydra.sweeper.storage"
SECONDS = 30  # that another process may lock a SQLite file, or a server may take to accept a connection


def opened(folder: Path, url: str | None) -> tuple[BaseStorage, str]:
    """The storage of the sweep in the folder, and the name of its study there.

    Args:
        folder: the sweep's; the first call is made under its lock.
        url: of a database, in SQLAlchemy's form; None for a file in the folder.

    Raises:
        UserError: the storage cannot be read or reached, or the folder's trials are in another one.
    """
    files = [file for file in (folder / SEARCH_JOURNAL, folder / SEARCH_DATABASE) if file.is_file()]
    study = folder / SEARCH_STUDY
    if url is None:
        if study.is_file():
            raise ConfigError(
                f"{KEY}: the trials of {folder} are in a database; give its URL, or choose another sweep.name"
            )
        return _file(files[0] if files else folder / SEARCH_JOURNAL), "search"
    if files:
        raise ConfigError(
            f"{KEY}: the trials of {folder} are in {files[0].name}; leave it out, or choose another sweep.name"
        )
    storage = _server(url)
    if not study.is_file():
        study.write_text(f"{folder.name}-{secrets.token_hex(4)}")  # apart from a sweep of that name elsewhere
    return storage, study.read_text()


@contextmanager
def failures_named() -> Iterator[None]:
    """A database that fails in the block is one line."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(f"{KEY}: the database failed ({_reason(error)}); the same command continues") from error


def _file(file: Path) -> BaseStorage:
    try:
        return _journal(file) if file.name == SEARCH_JOURNAL else _database(f"sqlite:///{file.absolute()}")
    except Exception as error:  # of JSON, SQLite or SQLAlchemy, by the version
        raise UserError(f"{file} cannot be read ({type(error).__name__}); rename it") from error


def _server(url: str) -> BaseStorage:
    try:
        if make_url(url).password or "password" in make_url(url).query:
            raise ConfigError(
                f"{KEY}: expected a URL without a password, which every run's folder would show; use"
                " PGPASSWORD or ~/.pgpass (PostgreSQL), or ?read_default_file=FILE (MySQL)"
            )
        return _database(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            f"{KEY}: expected a URL such as postgresql+psycopg://USER@HOST/DATABASE, found {url!r}"
        ) from error
    except ImportError as error:
        driver = getattr(error.__cause__, "name", None) or "driver"
        raise ConfigError(
            f"{KEY}: {driver} is not installed; pip install 'psycopg[binary]', or the driver that the URL names"
        ) from error
    except (SQLAlchemyError, StorageInternalError, TypeError) as error:
        raise ConfigError(f"{KEY}: {url} cannot be used ({_reason(error)}); correct it or start the server") from error


def _database(url: str) -> BaseStorage:
    """Connected for each operation anew: a job holds none of the server's connections while it trains."""
    timeout = "timeout" if make_url(url).get_backend_name() == "sqlite" else "connect_timeout"
    return RDBStorage(url, engine_kwargs={"poolclass": NullPool, "connect_args": {timeout: SECONDS}})


def _journal(file: Path) -> BaseStorage:
    lock = JournalFileOpenLock(str(file))
    lock.acquire()
    try:
        _cut_incomplete_line(file)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(file), lock_obj=lock))


def _cut_incomplete_line(file: Path) -> None:
    """Remove what a full disk or a lost machine left of a last line; Optuna would append to it."""
    content = file.read_bytes() if file.is_file() else b""
    complete, newline, rest = content.rpartition(b"\n")
    if rest and not rest.startswith(b"{"):
        raise ValueError("not a journal")
    if rest:
        os.truncate(file, len(complete + newline))


def _reason(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    return " ".join(str(getattr(cause, "orig", None) or cause).split())[:300]
