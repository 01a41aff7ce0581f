"""Hydra's and OmegaConf's errors about a command line, each in one line that names the key."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import MarkedYAMLError  # type: ignore[import-untyped]

from latentlab.config.keys import Groups, no_group
from latentlab.config.schema import written_at
from latentlab.errors import ConfigError, nearest, unknown


def explain(
    error: Exception, overrides: Sequence[str], groups: Groups, raw: Mapping[str, Any] | None = None
) -> ConfigError:
    """What is wrong with the overrides, in one line.

    raw: the config with its interpolations unresolved, where it was composed.
    """
    if isinstance(error, OverrideParseException):
        return ConfigError(_unreadable(error))
    if isinstance(error, MissingConfigException):
        return ConfigError(_unknown_option(error))
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        place = error.problem_mark
        return ConfigError(f"--config-dir: {place.name} is damaged ({error.problem}, line {place.line + 1})")
    for pattern, message in _MESSAGES.items():
        match = re.search(pattern, str(error))
        if match is not None:
            text = match.expand(message) if isinstance(message, str) else message(match[1], groups, overrides)
            return ConfigError(one_line(text))
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, OmegaConfBaseException):
        return ConfigError(from_omegaconf(cause, raw))
    return ConfigError(f"{_given(overrides)}: {one_line(str(error)) or type(error).__name__}")


def from_omegaconf(error: OmegaConfBaseException, raw: Mapping[str, Any] | None = None) -> str:
    """The key and the first line of OmegaConf's message; with the unresolved config, the key as it was written."""
    key = written_at(str(error.full_key or ""), raw)
    message = one_line(str(error.msg or error).split("\n")[0])
    missing = re.search(r"Missing mandatory value: (\S+)", message)
    if missing:
        return f"{missing[1]}: missing; give it as {missing[1]}=VALUE"
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        return f"{key}: missing"
    return f"{key}: {message}" if key else message


@final
@dataclass(frozen=True)
class UnknownKey:
    """A key that is set but not in the config, and how much of it is missing: `a.b` of `a.b.c` where `a` has no `b`."""

    key: str
    missing: str


def unknown_key(error: Exception) -> UnknownKey | None:
    """The key that is not in the config, where that is the error."""
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
        return f"{given or repr(error.override)}: expected KEY=VALUE, such as model=vae"
    if re.match(r"[\w./@+~-]+\[\w+\]=", given):
        return f"{given.partition('=')[0]}: one item of a list cannot be set; give the whole list, KEY=[1,2]"
    reason = one_line(error.message)
    reason = re.sub(r"^Error parsing override '.*' (?=\w+Error while|HydraException)", "", reason)
    reason = "" if re.search("NoViableAlt|no viable alternative|expecting", reason) else f" ({reason})"
    return f"{given}: cannot be read as KEY=VALUE{reason}; quote special characters, as in 'KEY=\"a, b\"'"


def _unknown_option(error: MissingConfigException) -> str:
    path = error.missing_cfg_file or ""
    if error.options is None:
        return f"--config-name: no config {path!r}" if "primary" in str(error) else one_line(str(error))
    match = re.search(r"Available options in '(.+)':", str(error))
    group = match[1] if match else path.rpartition("/")[0]
    return no_such_option(group, path.removeprefix(f"{group}/"), error.options)


def no_such_option(group: str, option: str, options: Sequence[str]) -> str:
    """The message about an unknown option of a group."""
    return unknown(f"{group}: no option {one_line(option)!r}", nearest(option, options), options, "options")


def _not_chosen(group: str, groups: Groups, overrides: Sequence[str]) -> str:
    owners = groups.owners(group)
    if owners:
        return f"{group}: not part of what is chosen; it belongs to {' or '.join(owners)}"
    return no_group(group, groups)


def _no_option(kind: str, groups: Groups, overrides: Sequence[str]) -> str:
    for override in overrides:
        group, _, option = override.lstrip("+~").partition("=")
        if option not in groups.options.get(group, [option]):
            return no_such_option(group, option, groups.options[group])
    return f"{_given(overrides)}: a config group takes the name of an option"


def _none_chosen(group: str, groups: Groups, overrides: Sequence[str]) -> str:
    return unknown(f"{group}: missing; choose an option", (), groups.options.get(group, ()), "options")


# Hydra's message -> ours, or a function of the group in it. Any other message of Hydra's is shown as it is.
_MESSAGES: dict[str, str | Callable[[str, Groups, Sequence[str]], str]] = {
    r"Could not override '(.+?)'\.": _not_chosen,
    r"^(Config group override) (?:deletion value )?must be a string": _no_option,
    r"You must specify '(.+?)'": _none_chosen,
    r"(?:Ambiguous value for argument|Sweep parameters) '([^=]*)": (
        r"\1: several values are a sweep, which needs -m; a list is written \1=[1,2]"
    ),
    r"Could not delete (?:from config\. )?'(.+)'(?: does not exist|\. No match)": (
        r"~\1: nothing of that name to take out"
    ),
    r"(?:Multiple values for |force-add of config groups is not supported: '\+*)([^\s=]+?)[.=]": (
        r"\1: a config group; write \1=OPTION"
    ),
    r"Sweeping over Hydra's configuration is not supported : '([^=]+)": r"\1: Hydra's own keys cannot be swept",
    r"The value of '(.+)' is (.+) and not": r"~\1: it is \2; take it out as ~\1",
    r"node `(\S+)` is not a container": r"\1: expected further keys, found a single value",
    r"An item is already at '(.+?)'": r"\1: already there; write \1=VALUE",
}
