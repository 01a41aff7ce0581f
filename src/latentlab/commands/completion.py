"""Print the script by which a shell completes `latentlab` at the tab key."""

import sys
from pathlib import Path

from latentlab.errors import nearest, unknown

SCRIPTS = {"bash": ("bash",), "fish": ("fish",), "zsh": ("zsh", "bash")}  # zsh runs the one of bash
USAGE = """eval "$(latentlab completion bash)"   in ~/.bashrc; in ~/.zshrc the same with zsh
latentlab completion fish | source    in ~/.config/fish/config.fish"""


def main(arguments: list[str]) -> int:
    """Print the script of the shell that is named, and return the exit status."""
    shell = arguments[0] if arguments else "--help"
    if shell in ("-h", "--help"):
        print(USAGE)
    elif shell in SCRIPTS:
        print(*(Path(__file__).with_suffix(f".{name}").read_text() for name in SCRIPTS[shell]), sep="")
    else:
        message = unknown(f"completion: no script for {shell!r}", nearest(shell, SCRIPTS), SCRIPTS)
        print(f"error: {message}", file=sys.stderr)
        return 1
    return 0
