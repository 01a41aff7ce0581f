"""The types of the arguments that a caller in Python gives."""

from collections.abc import Iterable
from typing import Any

from latentlab.errors import ConfigError
from latentlab.functional.numbers import whole_number


def refuse_other_than_texts(overrides: Iterable[object]) -> None:
    """Raise ConfigError where one is no text."""
    if wrong := [text for text in overrides if not isinstance(text, str)]:
        raise ConfigError(f"expected overrides as texts, such as 'model=vae', found {wrong[0]!r}")


def refuse_other_than(kinds: type | tuple[type, ...], expected: str, **arguments: object) -> None:
    """Raise ConfigError, which names the argument, where one is of no such kind. expected: the kinds in words."""
    for name, value in arguments.items():
        if not isinstance(value, kinds):
            raise ConfigError(f"{name}: expected {expected}, found {value!r}")


def expect_whole_number(argument: str, value: Any) -> int:
    """The number as Python's; raises ConfigError, which names the argument, where it is none."""
    number = whole_number(value)
    if number is None:
        raise ConfigError(f"{argument}: expected a whole number, found {value!r}")
    return number
