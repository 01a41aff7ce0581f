"""What a sweep and its jobs are called, in words that no path can be made of."""

import hashlib
import re
from collections.abc import Collection, Sequence

from latentlab.errors import ConfigError

# what does not tell one job from another where nothing varies
PASSING = ("data.root=", "paths.", "logger", "callbacks", "trainer=", "quiet=", "evaluate=", "sweep")
MOST_LETTERS = 180  # of a folder's name, which may have 255 bytes


def checked_sweep_name(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: it could lead out of the folder of sweeps, or is not to be typed again.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][\w.+=-]{0,99}", name, re.ASCII):
        raise ConfigError(f"sweep.name: expected up to 100 letters, digits and . _ + = -, found {name!r}")
    return name


def by_what_varies(jobs: Sequence[Sequence[str]], beside: Sequence[Sequence[str]] = ()) -> list[str]:
    """A name for each job's overrides: those that not all jobs share, with what they stand beside counted in."""
    everybody = [*jobs, *(overrides for overrides in beside if overrides)]
    shared = set(everybody[0]).intersection(*everybody[1:]) if len(everybody) > 1 else set()
    telling = [[part for part in own if part not in shared] for own in jobs]
    return [
        joined(own or [part for part in all_ if not part.startswith(PASSING)])
        for own, all_ in zip(telling, jobs, strict=True)
    ]


def joined(overrides: Sequence[str]) -> str:
    """Overrides as a folder's name: without quotes, slashes and what else a shell or a path would read."""
    parts = [re.sub(r"[^\w.=+\-\[\](),]+", "-", part.replace("'", "").replace('"', "")) for part in overrides]
    name = ",".join(parts).lstrip(".-") or "job"
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 9]}_{_short(name)}"


def apart_from(taken: Collection[str], name: str, overrides: Sequence[str], config_hash: str) -> str:
    """`name`, or where another config has it already, a longer one that says more."""
    for candidate in (name, joined(overrides)):
        if candidate not in taken:
            return candidate
    return f"{name}_{config_hash[:6]}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
