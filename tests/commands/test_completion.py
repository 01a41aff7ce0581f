"""Tab completion, in real shells at a terminal."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latentlab.__main__ import SUBCOMMANDS
from latentlab.commands import completion
from latentlab.config.flags import parser
from tests.called import called

SOURCE = str(Path(__file__).parents[2] / "src")
AT_A_TERMINAL = "import pty, sys; pty.spawn(sys.argv[1:])"
CLEAR = "\x15"  # Ctrl-U
BELL = "\x07"
LIST_ON_THE_FIRST_TAB = "bind 'set show-all-if-ambiguous on'"
SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        f'{LIST_ON_THE_FIRST_TAB}; eval "$(latentlab completion bash)"; echo "status: "$?',
    ),
    "zsh": (["zsh", "-f", "-i"], 'eval "$(latentlab completion zsh)"; echo "status: "$?'),
    "fish": (["fish", "--no-config", "-i"], 'latentlab completion fish | source; echo "status: "$status'),
}
COMPLETED = [
    ("latentlab tr\t", "latentlab train "),
    ("latentlab completion z\t", "zsh "),
    ("latentlab train model=cv\t", "model=cvae "),
    ("latentlab train model=sparse_ae model/pen\t", "model/penalty="),
    ("latentlab train model=vae optimizer.l\t", "optimizer.lr="),
    ("latentlab train 'net.widths=[64,32]' model.fr\t", "model.free_bits="),
    ("latentlab train -m seed=0,1 sched\t", "scheduler"),
    ("latentlab evaluate su\t", "suite="),
    ("latentlab report bas\t", "baseline="),
    ("latentlab demo opt\t", "optimizer"),
]


class Terminal:
    """A shell at a terminal, in a folder where `latentlab` is a command."""

    def __init__(self, command: list[str], folder: Path) -> None:
        executable = folder / "bin" / "latentlab"
        executable.parent.mkdir()
        executable.write_text(f'#!/bin/sh\nexec {sys.executable} -m latentlab "$@"\n')
        executable.chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{executable.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": SOURCE,
            "HOME": str(folder),
            "TERM": "dumb",
        }
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        command = [sys.executable, "-c", AT_A_TERMINAL, *command]
        self._shell = subprocess.Popen(command, cwd=folder, env=environment, **pipes)

    def shows(self, keys: str, expected: str) -> str:
        """What the terminal shows from the keys on, as soon as `expected` is there."""
        self._shell.stdin.write(keys.encode())
        shown, deadline = "", time.monotonic() + 30
        while expected not in shown:
            ready, _, _ = select.select([self._shell.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{keys!r} shows {shown!r}, without {expected!r}"
            shown += os.read(self._shell.stdout.fileno(), 1 << 16).decode(errors="replace").replace(BELL, "")
        return shown

    def close(self) -> None:
        self._shell.kill()
        self._shell.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", *(pytest.param(s, marks=pytest.mark.long) for s in ("zsh", "fish"))])
def test_a_tab_completes_subcommands_groups_options_and_keys(shell: str, tmp_path: Path):
    command, switch_on = SHELLS[shell]
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    terminal = Terminal(command, tmp_path)
    try:
        terminal.shows(f"{switch_on}\n", "status: 0")
        for keys, expected in COMPLETED:
            terminal.shows(f"{CLEAR}{keys}", expected)
    finally:
        terminal.close()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_bash_lists_options_and_completes_paths(tmp_path: Path):
    (tmp_path / "outputs" / "runs").mkdir(parents=True)
    terminal = Terminal(SHELLS["bash"][0], tmp_path)
    try:
        terminal.shows(f"{SHELLS['bash'][1]}\n", "status: 0")
        shown = terminal.shows("latentlab train model=\t", "sparse_ae")
        assert {"ae", "cvae", "denoising_ae", "sparse_ae"} <= set(shown.split())
        terminal.shows(f"{CLEAR}latentlab evaluate run=out\t", "run=outputs/")
        terminal.shows(f"{CLEAR}latentlab train resume=./outputs/r\t", "resume=./outputs/runs/")
    finally:
        terminal.close()


def test_every_shell_has_a_script_with_every_subcommand():
    for shell in completion.SCRIPTS:
        done = called("completion", shell)
        assert (done.returncode, done.stderr) == (0, "")
        assert " ".join(SUBCOMMANDS) in done.stdout
    assert "latentlab completion bash" in called("completion", "--help").stdout


def test_completed_flags_exist():
    flags = set(re.findall(r"[ ']--[\w-]+", Path(completion.__file__).with_suffix(".bash").read_text()))
    assert len(flags) > 5
    assert all(flag[1:] in parser().format_help() for flag in flags)


def test_another_shell_is_one_line():
    done = called("completion", "tcsh")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: completion: no script for 'tcsh' (allowed: bash, fish, zsh)\n"
