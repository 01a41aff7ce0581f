"""`--help`, without composing a config: a template from conf/hydra/help, or the keys of the options that are named."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from string import Template
from textwrap import fill, wrap
from typing import final

from latentlab.config.keys import Groups, no_group
from latentlab.config.messages import no_such_option
from latentlab.config.option_help import Key, Option, option_help, primary_keys
from latentlab.config.schema import PLAIN
from latentlab.errors import ConfigError

WIDTH = 120  # characters, at most
NARROWEST = 60
COLUMN = 26  # characters of a type or a default, at most, and of a meaning, at least
HEAD = Key("key", "type", "default", "meaning")


def help_text(config_name: str, groups: Groups, overrides: Sequence[str] = ()) -> str:
    """The keys of the options that the overrides choose, or what the options are of a group that is named alone.

    Without either, the template of the primary config, filled in.

    Raises:
        ConfigError: no such config, group or option, or the config names no template.
    """
    chosen = chosen_options(overrides, groups, config_name)
    width = max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))
    texts = [_text_of(word, config_name, groups, width) for word in overrides if "=" not in word]
    texts += [option_text(option_help(group, name, groups), width) for group, name in chosen]
    if texts:
        return "\n\n".join(texts)
    name = groups.defaults(config_name).get("hydra/help")
    template = groups.content(f"hydra/help/{name}").get("template")
    if template is None:
        raise ConfigError(f"--config-name: no config {config_name!r} with a help text")
    listed = [f"{group}: {', '.join(options)}" for group, options in sorted(groups.options.items()) if options]
    wrapped = [fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False) for line in listed]
    return Template(template).substitute(APP_CONFIG_GROUPS="\n".join(wrapped)).rstrip()


def chosen_options(overrides: Sequence[str], groups: Groups, config_name: str) -> list[tuple[str, str]]:
    """(group, option) of each that the overrides choose; keys that belong to no group of the config are passed over.

    Raises:
        ConfigError: no such group or option.
    """
    chosen, chosen_by_default = [], groups.defaults(config_name)
    for override in overrides:
        group, equals, value = override.lstrip("+~").partition("=")
        if not equals or value == "null":
            continue
        names = [name.strip() for name in value.strip("'\"[]").split(",") if name.strip()]
        if group.startswith("hydra"):  # of which only the search comes with latentlab
            chosen += [(group, name) for name in names if groups.file(f"{group}/{name}") is not None]
            continue
        if group not in groups.options or group.partition("/")[0] not in chosen_by_default:
            first = group.partition(".")[0]
            if first in groups.options or first in PLAIN:
                continue
            raise ConfigError(no_group(group, groups))
        if missing := [name for name in names if name not in groups.options[group]]:
            raise ConfigError(no_such_option(group, missing[0], groups.options[group]))
        chosen += [(group, name) for name in names]
    return chosen


def _text_of(word: str, config_name: str, groups: Groups, width: int) -> str:
    """The options of a group, each with the beginning of what it is; or a key that belongs to no group.

    Raises:
        ConfigError: neither a group nor such a key.
    """
    options = groups.options.get(word, ())
    if not options:
        keys = [key for key in primary_keys(config_name, groups) if key.name == word]
        if keys:
            return "\n".join(_Layout.of(keys, width).lines(keys))
        of = [f"{group}={word}" for group, names in groups.options.items() if word in names]
        raise ConfigError(f"{word}: an option; see --help {of[0]}" if of else no_group(word, groups))
    about = {name: option_help(word, name, groups).summary.replace("\n", ": ", 1) for name in options}
    indented = partial(wrap, width=width, initial_indent="    ", subsequent_indent="    ", max_lines=2)
    return "\n".join(line for name, text in about.items() for line in (f"{word}={name}", *indented(text)))


def option_text(option: Option, width: int) -> str:
    """An option's summary and its keys: name, type, default and meaning in columns, no line longer than `width`."""
    about = [line for part in option.summary.splitlines() for line in wrap(part, width)]
    lines = [f"{option.group}={option.name}", *about]
    given = [key for key in option.keys if key.is_set]
    further = [key for key in option.keys if not key.is_set]
    layout = _Layout.of(option.keys, width)
    if given:
        lines += ["", *layout.head(), *layout.lines(given)]
    if further:
        lines += ["", "Not set by this option:", "", *layout.lines(further)]
    return "\n".join(lines)


@final
@dataclass(frozen=True)
class _Layout:
    """The widths of the columns; that of the meanings is 0 where too little of the width is left for them."""

    names: int
    types: int
    defaults: int
    meanings: int
    width: int

    @classmethod
    def of(cls, keys: Sequence[Key], width: int) -> "_Layout":
        rows = [(HEAD.name, HEAD.type, HEAD.default), *((key.name, key.type, key.default) for key in keys)]
        names, types, defaults = (max(map(len, column)) for column in zip(*rows, strict=True))
        types, defaults = min(types, COLUMN), min(defaults, COLUMN)
        left = width - names - types - defaults - 6
        return cls(names, types, defaults, left if left >= COLUMN else 0, width)

    def head(self) -> list[str]:
        return self.lines([HEAD]) if self.meanings else []

    def lines(self, keys: Sequence[Key]) -> list[str]:
        return [line for key in keys for line in (self._row(key) if self.meanings else self._stacked(key))]

    def _row(self, key: Key) -> list[str]:
        cells = ((key.type, self.types), (key.default, self.defaults), (key.meaning, self.meanings))
        parts = [wrap(cell, width) or [""] for cell, width in cells]
        rows = zip_longest([key.name], *parts, fillvalue="")
        return [f"{a:{self.names}}  {b:{self.types}}  {c:{self.defaults}}  {d}".rstrip() for a, b, c, d in rows]

    def _stacked(self, key: Key) -> list[str]:
        indented = partial(wrap, width=self.width, initial_indent="    ", subsequent_indent="    ")
        return [*wrap(f"{key.name}={key.default}  {key.type}", self.width), *indented(key.meaning)]
