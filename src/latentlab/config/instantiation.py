"""Objects are made from config nodes here alone: what a constructor refuses is reported by its config key.

A constructor raises `ValueError("ARGUMENT: expected ..., found ...")` and knows no config. Here the key of its node is
put in front: `ConfigError("model.penalty.rho: expected ..., found ...")`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any, TypeVar

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from latentlab.config.keys import KeyPath
from latentlab.config.messages import one_line
from latentlab.config.schema import written_at
from latentlab.errors import ConfigError, UserError

T = TypeVar("T")


def make(config: DictConfig, key: str, kind: type[T]) -> T:
    """What the node at `key` makes, an object of that kind.

    config: the whole config, from whose root an error names keys.

    Raises:
        ConfigError: its constructor, or that of a node inside it, refuses the arguments; or it makes something else.
    """
    with _refusals_reported(config, key):
        made = instantiate(OmegaConf.select(config, key))
    return _of_kind(made, kind, key, config)


def make_with(config: DictConfig, key: str, kind: type[T], *arguments: Any, **named: Any) -> T:
    """What the node at `key` makes from its own arguments and these, which Hydra would turn into configs.

    Raises:
        ConfigError: see `make`.
    """
    with _refusals_reported(config, key):
        made = instantiate(OmegaConf.select(config, key), _partial_=True)(*arguments, **named)
    return _of_kind(made, kind, key, config)


def make_each(config: DictConfig, group: str, kind: type[T]) -> list[T]:
    """What the members of a group such as callbacks or logger make, without those that are null.

    Raises:
        ConfigError: see `make`.
    """
    return [make(config, f"{group}.{name}", kind) for name, node in (config[group] or {}).items() if node is not None]


def class_at(config: DictConfig, key: str, kind: type[T]) -> type[T]:
    """The class that the node at `key` makes an object of.

    Raises:
        ConfigError: it is no class of that kind.
    """
    target = OmegaConf.select(config, key)._target_
    found = get_object(target)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise ConfigError(f"{key}._target_: expected a class derived from {kind.__name__}, found {target}")
    return found


def _of_kind(made: object, kind: type[T], key: str, config: DictConfig) -> T:
    if not isinstance(made, kind):
        # what a `_partial_` node makes has a type of Hydra's own, which names nothing
        target = OmegaConf.select(config, f"{key}._target_") if callable(made) else None
        raise ConfigError(f"{key}: expected {kind.__name__}, found {target or type(made).__name__}")
    return made


@contextmanager
def _refusals_reported(config: DictConfig, key: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        message = refusal(error, key, config)
        if message is None:
            raise
        raise ConfigError(message) from error


def refusal(error: BaseException | None, key: str = "", config: DictConfig | None = None) -> str | None:
    """What a constructor refused, in one line; None where it failed for any other reason.

    key: of the node, where Hydra's error does not name that of a node inside it.
    """
    if isinstance(error, InstantiationException):
        inner = re.search(r"^full_key: (\S+)$", str(error), re.MULTILINE)
        return refusal(error.__cause__, _dotted(inner[1], config) if inner else key, config)
    if isinstance(error, UserError):
        return one_line(str(error))
    if isinstance(error, ImportError):  # of a logger or callback whose package is not installed
        return f"{key}: {one_line(str(error))}".removeprefix(": ")
    if isinstance(error, TypeError) and _was_raised_by_the_call(error):
        text = re.sub(r"^\S+\(\) (missing) \d+ required [\w -]*arguments?: ", r"\1 ", one_line(str(error)))
        return f"{key}: {text}".removeprefix(": ")
    if isinstance(error, ValueError) or type(error).__name__ == "MisconfigurationException":  # Lightning's
        return _with_key(one_line(str(error)), key, config)
    return None


def _dotted(full_key: str, config: DictConfig | None) -> str:
    """`a.parts[1].b` -> `a.parts.1.b`; of a member of a list itself, OmegaConf 2.3 writes `a.parts1`."""
    key = re.sub(r"\[(\d+)\]", r".\1", full_key)
    splits = [key, *(f"{key[:n]}.{key[n:]}" for n in range(len(key) - 1, 0, -1) if key[n:].isdecimal())]
    return next((split for split in splits if config and OmegaConf.select(config, split) is not None), key)


def _with_key(text: str, key: str, config: DictConfig | None) -> str:
    """`rho: expected ...` of the node `model.penalty` -> `model.penalty.rho: expected ...`, or where it was written."""
    named = re.match(r"(\w+)[\w.]*(?=: )", text)
    raw: Any = {} if config is None else OmegaConf.to_container(config, resolve=False)
    if named is None or named[1] not in KeyPath.of(f"{written_at(key, raw)}.{named[1]}", raw).names:
        return f"{key}: {text}".removeprefix(": ")
    return written_at(f"{key}.{named[0]}", raw) + text.removeprefix(named[0])


def _was_raised_by_the_call(error: TypeError) -> bool:
    """Whether the arguments did not fit, as against a failure inside the constructor."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith(("hydra.", __name__))
