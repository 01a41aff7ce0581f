"""Entry points that run a sweep of their own and take KEY=VALUE alone: the demo and the check."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from latentlab.config.quoting import bare
from latentlab.errors import ConfigError, UserError


def run_keys_only(tool: str, usage: str, run: Callable[[list[str]], int], given: list[str]) -> int:
    """Hand the command line to `run` and return its exit status; `--help` prints the usage, a mistake is one line."""
    if {"-h", "--help"} & set(given):
        print(usage)
        return 0
    try:
        flags = [argument for argument in given if argument.startswith("-")]
        if flags:
            raise ConfigError(f"{flags[0]}: the {tool} takes KEY=VALUE only; flags go to latentlab train")
        return run(given)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def value_of(key: str, given: Sequence[str]) -> str | None:
    """The value that the last argument of that key gives; None where it is not given."""
    return next((bare(a.partition("=")[2]) for a in reversed(given) if a.startswith(f"{key}=")), None)


def sweep_folder(name: str, given: Sequence[str]) -> Path:
    """The folder of the sweep of that name, below the output folder that the arguments give."""
    return Path(value_of("paths.output_dir", given) or "outputs") / "sweeps" / name
