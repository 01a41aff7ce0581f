"""Errors that a user can correct: one line with what was expected, what was found and the way out."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import final


class UserError(Exception):
    """A mistake in a config, a folder or a file. Every subcommand prints it as one line and exits with status 1."""


@final
class ConfigError(UserError):
    """A config value that is unknown, of the wrong type or incompatible with another one."""


class DataError(UserError):
    """Data that is missing, damaged or cannot be downloaded."""


@final
class MissingData(DataError):  # noqa: N818
    """Data that is not found and cannot be downloaded.

    found: what was expected and found. way_out: what to do in the config of a new run.
    """

    def __init__(self, found: str, way_out: str) -> None:
        self.found, self.way_out = found, way_out
        super().__init__(found, way_out)  # by which it is pickled

    def __str__(self) -> str:
        return f"{self.found}; {self.way_out}"


@final
class NonFiniteObjective(UserError):  # noqa: N818
    """The objective, or a term of it, became NaN or infinite."""

    def __init__(self, stage: str, name: str, step: int, checkpoint: str = "") -> None:
        self.stage, self.name, self.step, self.checkpoint = stage, name, step, checkpoint
        where = f"last good checkpoint: {checkpoint}" if checkpoint else "no checkpoint was saved before it"
        super().__init__(
            f"{stage}/{name} is not finite at step {step}; {where}; lower optimizer.lr or look at the data"
        )

    def __reduce__(self) -> tuple[type, tuple[str, str, int, str]]:
        """Pickled with all arguments, so that a worker process can raise it."""
        return NonFiniteObjective, (self.stage, self.name, self.step, self.checkpoint)


@final
class RankLost(UserError):  # noqa: N818
    """Another process of a run on several devices has ended."""


@final
class Pruned(Exception):  # noqa: N818
    """A search stopped the run early: it is neither complete nor failed."""


@final
class Interrupted(SystemExit):
    """A signal stopped the run after its state was saved; the exit status is 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        super().__init__(128 + signal_number)


def first_line(error: BaseException) -> str:
    """Of its message, or its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the `known` names that resemble `name`, the most similar first."""
    lower = {candidate.lower(): candidate for candidate in known}
    return [lower[match] for match in get_close_matches(name.lower(), lower, n=3)]


def unknown(what: str, near: Iterable[str], known: Iterable[str], word: str = "allowed") -> str:
    """One line: `what`, the names that are perhaps meant, and all known names."""
    near, known = list(near), sorted(known)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    listed = f" ({word}: {', '.join(known)})" if known else ""
    return f"{what}{hint}{listed}"
