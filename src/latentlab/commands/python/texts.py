"""The overrides that a caller in Python gives."""

from collections.abc import Iterable

from latentlab.errors import ConfigError


def refuse_other_than_texts(overrides: Iterable[object]) -> None:
    """Raise ConfigError where one is no text."""
    if wrong := [text for text in overrides if not isinstance(text, str)]:
        raise ConfigError(f"expected overrides as texts, such as 'model=vae', found {wrong[0]!r}")
