"""`latentlab SUBCOMMAND ...`, which is `python -m latentlab SUBCOMMAND ...`."""

import sys
from collections.abc import Callable
from importlib.metadata import version

from latentlab.errors import nearest, unknown

# each imports its own file, so that --help and a mistyped name are answered at once


def train(arguments: list[str]) -> int:
    """Train one model, or with -m a sweep of them."""
    from latentlab.commands.train import main

    return main(arguments)


def evaluate(arguments: list[str]) -> int:
    """Measure a finished run on the official test images."""
    from latentlab.commands.evaluate import main

    return main(arguments)


def report(arguments: list[str]) -> int:
    """Compare the runs of a sweep, or any runs, on one page."""
    from latentlab.commands.report import main

    return main(arguments)


def demo(arguments: list[str]) -> int:
    """Train all five variants in one sweep and print them side by side."""
    from latentlab.commands.demo import main

    return main(arguments)


def check(arguments: list[str]) -> int:
    """Train a small fixed sweep and compare its figures with the recorded ones."""
    from latentlab.commands.check import main

    return main(arguments)


SUBCOMMANDS: dict[str, Callable[[list[str]], int]] = {f.__name__: f for f in (train, evaluate, report, demo, check)}


def main() -> None:
    """Run the subcommand and exit with its status."""
    sys.exit(_status(sys.argv[1:]))


def _status(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in SUBCOMMANDS:
        return SUBCOMMANDS[name](arguments[1:])
    if name in ("-h", "--help"):
        print(_usage())
    elif name == "--version":
        print(f"latentlab {version('latentlab')}")
    else:
        message = unknown(f"{name}: no such subcommand", nearest(name, SUBCOMMANDS), SUBCOMMANDS)
        print(f"error: {message}", file=sys.stderr)
        return 1
    return 0


def _usage() -> str:
    lines = [f"  {name:10}{function.__doc__}" for name, function in SUBCOMMANDS.items()]
    return "\n".join(["latentlab SUBCOMMAND [KEY=VALUE ...]", "", *lines, "", "latentlab SUBCOMMAND --help says more."])


if __name__ == "__main__":
    main()
