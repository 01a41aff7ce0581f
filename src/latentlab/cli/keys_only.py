"""Entry points that run a sweep of their own and take KEY=VALUE alone: the demo and the check."""

import sys
from collections.abc import Callable, Sequence

from latentlab.errors import ConfigError, UserError
from latentlab.quoting import bare


def run_keys_only(tool: str, usage: str, run: Callable[[list[str]], int]) -> None:
    """Hand the command line to `run` and exit with its status; `--help` prints the usage, a mistake is one line."""
    given = sys.argv[1:]
    if {"-h", "--help"} & set(given):
        print(usage)
        return
    try:
        flags = [argument for argument in given if argument.startswith("-")]
        if flags:
            raise ConfigError(f"{flags[0]}: the {tool} takes KEY=VALUE only; flags go to latentlab-train")
        status = run(given)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def value_of(key: str, given: Sequence[str]) -> str | None:
    """The value that the last argument of that key gives; None where it is not given."""
    return next((bare(a.partition("=")[2]) for a in reversed(given) if a.startswith(f"{key}=")), None)
