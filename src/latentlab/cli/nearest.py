"""Names near to a mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of the `known` names that resemble `name`, the most similar first."""
    lower = {candidate.lower(): candidate for candidate in known}
    return [lower[match] for match in get_close_matches(name.lower(), lower, n=count)]


def unknown(what: str, near: Iterable[str], known: Iterable[str], word: str = "allowed") -> str:
    """One line: `what` is unknown, the names that were perhaps meant, and all that are known."""
    near, known = list(near), sorted(known)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    listed = f" ({word}: {', '.join(known)})" if known else ""
    return f"{what}{hint}{listed}"
