"""Hydra's and OmegaConf's complaints about a command line, each told in one line that names the key."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from latentlab.config.keys import Groups, no_group
from latentlab.config.schema import written_at
from latentlab.errors import ConfigError, nearest, unknown

Saying = Callable[[re.Match[str], Groups, Sequence[str]], str]


def explain(
    error: Exception, overrides: Sequence[str], groups: Groups, raw: Mapping[str, Any] | None = None
) -> ConfigError:
    """What is wrong with the overrides, in one line; `raw` is the config, its interpolations unresolved."""
    message = str(error)
    if isinstance(error, OverrideParseException):
        return ConfigError(_unreadable(error))
    if isinstance(error, MissingConfigException):
        return ConfigError(_unknown_option(error, groups))
    for pattern, tell in _SAYINGS:
        match = re.search(pattern, message)
        if match is not None:
            return ConfigError(tell(match, groups, overrides))
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, OmegaConfBaseException):
        return ConfigError(from_omegaconf(cause, raw))
    return ConfigError(f"{_given(overrides)}: {one_line(message) or type(error).__name__}")


def from_omegaconf(error: OmegaConfBaseException, raw: Mapping[str, Any] | None = None) -> str:
    """The key and the first line of what OmegaConf says about it; with the unresolved config, the key as written."""
    key = written_at(str(error.full_key or ""), raw)
    said = one_line(str(error.msg or error).split("\n")[0])
    missing = re.search(r"Missing mandatory value: (\S+)", said)
    if missing:
        return f"{missing[1]}: missing; give it as {missing[1]}=VALUE"
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        return f"{key}: missing"
    return f"{key}: {said}" if key else said


@final
@dataclass(frozen=True)
class UnknownKey:
    """A key that is set but not in the config, and how much of it is missing: `a.b` of `a.b.c` where `a` has no `b`."""

    key: str
    missing: str


def unknown_key(error: Exception) -> UnknownKey | None:
    """The key that is not in the config, where that is what the error says."""
    match = re.match(r"Could not override '(.+)'\.", str(error))
    cause = error.__cause__
    if match is None or "/" in match[1] or not isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return None  # "/": not a key but a group
    return UnknownKey(max(match[1], str(cause.full_key), key=len), str(cause.full_key))


def one_line(text: str) -> str:
    """The text without line breaks, pointers to Hydra's pages, or its advice to add unknown keys."""
    text = re.sub(r"(?s)(\nSee https://hydra\.cc|\nTo append|\nConfig search path|\n\s*full_key:).*", "", text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _given(overrides: Sequence[str]) -> str:
    shown = one_line(" ".join(argument for argument in overrides if not argument.startswith("hydra.mode=")))
    return shown or "config"


def _unreadable(error: OverrideParseException) -> str:
    given = one_line(error.override)
    if "=" not in given:
        return f"{given}: expected KEY=VALUE"
    if re.match(r"[\w./@+~-]+\[\w+\]=", given):
        return f"{given.partition('=')[0]}: one item of a list cannot be set; give the whole list, KEY=[1,2]"
    reason = one_line(error.message)
    reason = re.sub(r"^Error parsing override '.*' (?=\w+Error while|HydraException)", "", reason)
    reason = "" if "NoViableAlt" in reason or "expecting" in reason else f" ({reason})"
    return f"{given}: cannot be read as KEY=VALUE{reason}; quote special characters, as in 'KEY=\"a, b\"'"


def _unknown_option(error: MissingConfigException, groups: Groups) -> str:
    path = error.missing_cfg_file or ""
    if error.options is None:
        return f"--config-name: no config {path!r}" if "primary" in str(error) else one_line(str(error))
    match = re.search(r"Available options in '(.+)':", str(error))
    known = [group for group in groups.options if path.startswith(f"{group}/")]
    group = match[1] if match else max(known, key=len, default=path.rpartition("/")[0])
    option = path.removeprefix(f"{group}/")
    return unknown(f"{group}: no option {option!r}", nearest(option, error.options), error.options, "options")


def _not_chosen(match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    group = match[1]
    owners = groups.owners(group)
    if owners:
        return f"{group}: not part of what is chosen; it belongs to {' or '.join(owners)}"
    return no_group(group, groups)


def _several(match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    key = match[1].partition("=")[0]
    return f"{key}: several values are a sweep, which needs -m; a list is written {key}=[1,2]"


def _no_option(match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    given = [override.partition("=") for override in overrides]
    candidates = [(key.lstrip("+~"), value) for key, _, value in given if key.lstrip("+~") in groups.options]
    odd = [(key, value) for key, value in candidates if value not in groups.options[key]]
    if not odd:
        return f"{_given(overrides)}: a config group takes the name of an option"
    key, value = odd[0]
    known = groups.options[key]
    return unknown(f"{key}: no option {one_line(value)!r}", nearest(value, known), known, "options")


def _nothing_to_delete(match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    return unknown(f"~{match[1]}: nothing of that name to take out", (), ())


def _choose(match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    return unknown(f"{match[1]}: missing; choose an option", (), groups.options.get(match[1], ()), "options")


def _said(text: str, match: re.Match[str], groups: Groups, overrides: Sequence[str]) -> str:
    return one_line(match.expand(text))


_SAYINGS: list[tuple[str, Saying]] = [
    (r"Ambiguous value for argument '(.*)'", _several),
    (r"Sweep parameters '(.*)' requires --multirun", _several),
    (r"Could not override '(.+?)'\.", _not_chosen),
    (r"but config group '(.+)' does not exist", _not_chosen),
    (r"^Config group override (?:deletion value )?must be a string", _no_option),
    (r"Could not delete from config\. '(.+)' does not exist", _nothing_to_delete),
    (r"Could not delete '(.+)'\. No match", _nothing_to_delete),
    (r"You must specify '(.+?)'", _choose),
    (r"Multiple values for (\S+)\.", partial(_said, r"\1: already chosen; write \1=OPTION")),
    (r"force-add of config groups is not supported: '\+*([^=]*)", partial(_said, r"\1: write \1=OPTION")),
    (
        r"(Sweeping over Hydra's configuration is not supported) : '(.+)'",
        partial(_said, r"\2: no sweep over it"),
    ),
    (r"The value of '(.+)' is (.+) and not", partial(_said, r"~\1: it is \2; take it out as ~\1")),
    (r"node `(\S+)` is not a container", partial(_said, r"\1: expected further keys, found a single value")),
    (r"An item is already at '(.+?)'", partial(_said, r"\1: already there; write \1=VALUE")),
]
