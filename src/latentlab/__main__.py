"""`latentlab SUBCOMMAND ...`, which is `python -m latentlab SUBCOMMAND ...`."""

import os
import sys
from importlib import import_module
from importlib.metadata import version

from latentlab.errors import nearest, unknown
from latentlab.processes.reader import READER_GONE, reader_has_gone

# each has a file in `commands`, which is imported when it is called: --help and a mistyped name are answered at once
SUBCOMMANDS = {
    "train": "Train one model, or with -m a sweep of them.",
    "evaluate": "Measure a finished run on the official test images.",
    "export": "Write a run's encoder and decoder as ONNX, PT2 or safetensors, with a model card.",
    "report": "Compare the runs of a sweep, or any runs, on one page.",
    "explore": "Walk through the latent space of runs on a local page.",
    "demo": "Train all five variants in one sweep and print them side by side.",
    "check": "Train a small fixed sweep and compare its metrics with the recorded ones.",
    "reproduce": "Train recipes over several seeds and write their metrics beside the published values.",
    "completion": "Print the script that switches on tab completion in bash, zsh or fish.",
}


def main() -> None:
    """Run the subcommand and exit with its status."""
    _open_streams()
    sys.exit(_status(sys.argv[1:]))


def _open_streams() -> None:
    """Open the standard streams that the caller has closed, which Python makes None: nobody reads them."""
    for name in ("stdin", "stdout", "stderr"):  # in this order, each gets its usual number
        if getattr(sys, name) is None:
            stream = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)  # also those of worker processes
            setattr(sys, name, stream)


def _status(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in SUBCOMMANDS:
        status: int = import_module(f"latentlab.commands.{name}").main(arguments[1:])
        return status
    if name in ("-h", "--help"):
        return _print(_usage())
    if name == "--version":
        return _print(f"latentlab {version('latentlab')}")
    message = unknown(f"{name}: no such subcommand", nearest(name, SUBCOMMANDS), SUBCOMMANDS)
    print(f"error: {message}", file=sys.stderr)
    return 1


def _print(text: str) -> int:
    """The exit status."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        if reader_has_gone():
            return READER_GONE
        raise
    return 0


def _usage() -> str:
    lines = [f"  {name:12}{text}" for name, text in SUBCOMMANDS.items()]
    return "\n".join(["latentlab SUBCOMMAND [KEY=VALUE ...]", "", *lines, "", "latentlab SUBCOMMAND --help says more."])


if __name__ == "__main__":
    main()
