"""The flags of every subcommand that takes a config, which are those of any Hydra application."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, final

from latentlab.errors import ConfigError

MAX_OVERRIDE = 10_000  # characters: Hydra's parser takes many seconds over some
ALONE = ("run", "multirun", "cfg", "info", "shell_completion")  # at most one of these


@final
class _Parser(ArgumentParser):
    """argparse's, with a mistake in one line instead of a usage text."""

    def error(self, message: str) -> NoReturn:
        if "ignored explicit argument" in message:  # "-h=model" is read as -h and -m=odel
            raise ConfigError("flags such as -h and -m take no value; the options of a group are shown by --help GROUP")
        dashed = re.search(r"(?<= )(?:--?([\w./]+=.*?)(?= -|$)|--([\w./]+)(?= |$))", message)
        written = dashed and (dashed[1] or f"{dashed[2]}=VALUE")
        raise ConfigError(message + (f"; keys are written without dashes: {written}" if written else "; see --help"))


def parser() -> ArgumentParser:
    """The parser of flags and overrides."""
    made = _Parser(add_help=False, allow_abbrev=False)
    add = made.add_argument
    add("overrides", nargs="*", help="KEY=VALUE")
    add("-h", "--help", action="store_true", help="this subcommand's help")
    add("--hydra-help", action="store_true", help="Hydra's help")
    add("--version", action="version", version=f"latentlab {version('latentlab')}", help="latentlab's version")
    add("-m", "--multirun", action="store_true", help="a sweep: one run for each combination of values KEY=A,B")
    add("-r", "--run", action="store_true", help="one run, which is the default")
    add("-c", "--cfg", choices=["job", "hydra", "all"], help="print the config and stop")
    add("--resolve", action="store_true", help="with --cfg: references replaced by their values")
    add("-p", "--package", help="with --cfg: only the node of this key")
    kinds = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]
    add("-i", "--info", nargs="?", const="all", choices=kinds, help="how the config is composed")
    add("-cn", "--config-name", help="another primary config")
    add("-cd", "--config-dir", type=lambda given: Path(given).absolute(), help="a folder of further configs")
    add("-sc", "--shell-completion", action="store_true", help="Hydra's own completion scripts")
    return made


def parsed_flags(arguments: Sequence[str]) -> Namespace:
    """The flags, and the overrides as `overrides`.

    Raises:
        ConfigError: an unknown flag or folder, flags that exclude each other, or an override that cannot be parsed.
    """
    flags = parser().parse_intermixed_args(list(arguments))
    for override in flags.overrides:
        if override.startswith("="):
            raise ConfigError("expected KEY=VALUE, found no key before the =")
        if len(override) > MAX_OVERRIDE and not override.startswith("runs="):  # which may name many folders
            raise ConfigError(f"{override[:60]}...: expected at most {MAX_OVERRIDE} characters, found {len(override)}")
    chosen = [name for name in ALONE if getattr(flags, name)]
    if len(chosen) > 1:
        raise ConfigError(f"only one of --{', --'.join(chosen).replace('_', '-')} at a time")
    if flags.resolve and not (flags.cfg or flags.help):
        raise ConfigError("--resolve: goes with --cfg or --help")
    if flags.config_dir is not None and not flags.config_dir.is_dir():
        raise ConfigError(f"--config-dir: no folder {flags.config_dir}")
    return flags
