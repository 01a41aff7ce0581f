"""The types of the arguments that a caller in Python gives."""

from collections.abc import Iterable

from latentlab.errors import ConfigError


def refuse_other_than_texts(overrides: Iterable[object]) -> None:
    """Raise ConfigError where one is no text."""
    if wrong := [text for text in overrides if not isinstance(text, str)]:
        raise ConfigError(f"expected overrides as texts, such as 'model=vae', found {wrong[0]!r}")


def refuse_other_than(kinds: type | tuple[type, ...], expected: str, **arguments: object) -> None:
    """Raise ConfigError, which names the argument, where one is of no such kind; True and False are no numbers.

    expected: the kinds in words.
    """
    for name, value in arguments.items():
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ConfigError(f"{name}: expected {expected}, found {value!r}")
