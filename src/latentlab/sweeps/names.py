"""Names of a sweep and of its jobs' folders, of letters that lead to no other folder."""

import hashlib
import re
from collections.abc import Collection, Sequence

from latentlab.errors import ConfigError
from latentlab.runs.identity import is_identifying, override_key

MAX_LETTERS = 180  # of a folder's name, which may have 255 bytes


def checked_sweep_name(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: it could lead out of the folder of sweeps, or could not be typed on a command line.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][\w.+=-]{0,99}", name, re.ASCII):
        raise ConfigError(f"sweep.name: expected up to 100 letters, digits and . _ + = -, found {name!r}")
    return name


def by_what_varies(jobs: Sequence[Sequence[str]], beside: Sequence[Sequence[str]] = ()) -> list[str]:
    """A name for each job: those of its overrides that identify it and that not all jobs share.

    beside: the overrides of jobs that are in the folder already, which count among all jobs.
    """
    others = [*jobs, *(overrides for overrides in beside if overrides)]
    shared = set(others[0]).intersection(*others[1:]) if len(others) > 1 else set()
    names = [[override for override in _identifying(own) if override not in shared] for own in jobs]
    return [joined(name or _identifying(own)) for name, own in zip(names, jobs, strict=True)]


def joined(overrides: Sequence[str]) -> str:
    """Overrides as a folder's name: without quotes, slashes and whatever else a shell or a path would interpret."""
    words = [re.sub(r"[^\w.=+\-\[\](),]+", "-", word.replace("'", "").replace('"', "")) for word in overrides]
    name = ",".join(words).lstrip(".-") or "job"
    return name if len(name) <= MAX_LETTERS else f"{name[: MAX_LETTERS - 9]}_{_short(name)}"


def apart_from(taken: Collection[str], name: str, overrides: Sequence[str], config_hash: str) -> str:
    """`name`, or where another config has it already, a longer one."""
    for candidate in (name, joined(_identifying(overrides))):
        if candidate not in taken:
            return candidate
    return f"{name}_{config_hash[:6]}"


def _identifying(overrides: Sequence[str]) -> list[str]:
    return [override for override in overrides if is_identifying(override_key(override))]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
