"""Entry points that run sweeps of their own and take no flags: the demo, the check and the reproduction."""

from collections.abc import Callable, Sequence
from pathlib import Path

from latentlab.config.exit_status import exit_status
from latentlab.config.quoting import bare
from latentlab.errors import ConfigError
from latentlab.runs.layout import SWEEPS


def run_keys_only(tool: str, usage: str, run: Callable[[list[str]], int], given: list[str]) -> int:
    """Hand the command line to `run` and return its exit status; `--help` prints the usage, a mistake is one line."""

    def checked() -> int:
        if {"-h", "--help"} & set(given):
            print(usage)
            return 0
        if flags := [argument for argument in given if argument.startswith("-")]:
            raise ConfigError(f"{flags[0]}: latentlab {tool} takes no flags; those of a training go to latentlab train")
        return run(given)

    return exit_status(checked)


def value_of(key: str, given: Sequence[str]) -> str | None:
    """The value that the last argument of that key gives; None where it is not given."""
    return next((bare(a.partition("=")[2]) for a in reversed(given) if a.startswith(f"{key}=")), None)


def sweep_folder(name: str, given: Sequence[str]) -> Path:
    """The folder of the sweep of that name, below the output folder that the arguments give."""
    return output_folder(given) / SWEEPS / name


def output_folder(given: Sequence[str]) -> Path:
    """The folder of all runs and sweeps that the arguments give."""
    return Path(value_of("paths.output_dir", given) or "outputs").expanduser()
