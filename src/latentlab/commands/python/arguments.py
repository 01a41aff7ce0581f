"""The types of the arguments that a caller in Python gives."""

import operator
from collections.abc import Iterable
from typing import Any

from latentlab.errors import ConfigError


def refuse_other_than_texts(overrides: Iterable[object]) -> None:
    """Raise ConfigError where one is no text."""
    if wrong := [text for text in overrides if not isinstance(text, str)]:
        raise ConfigError(f"expected overrides as texts, such as 'model=vae', found {wrong[0]!r}")


def refuse_other_than(kinds: type | tuple[type, ...], expected: str, **arguments: object) -> None:
    """Raise ConfigError, which names the argument, where one is of no such kind. expected: the kinds in words."""
    for name, value in arguments.items():
        if not isinstance(value, kinds):
            raise ConfigError(f"{name}: expected {expected}, found {value!r}")


def whole_number(argument: str, value: Any) -> int:
    """The number, which may be NumPy's or a tensor's; raises ConfigError, which names the argument, for any other."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError as error:
        raise ConfigError(f"{argument}: expected a whole number, found {value!r}") from error
