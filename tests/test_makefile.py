"""What `make` offers, read from the Makefile and from `make -n`; nothing is installed here."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Makefile").read_text()
TARGETS = re.search(r"^\.PHONY:(.*)$", TEXT, re.MULTILINE)[1].split()
MAKES_NO_VENV = {"help", "clean", "ci"}
STAMP = ".venv/.installed"
PEERS = ".venv/.installed-peers"  # what the benchmarks compare with

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(folder: Path, *arguments: str) -> str:
    command = ["make", "--no-print-directory", "-C", str(folder), *arguments]
    outer = ("MAKE", "MFLAGS", "PYTHON", "ARGS")  # of the make that runs these tests
    variables = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def fresh(tmp_path) -> Path:
    """A checkout in which nothing was made yet."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def installed(fresh) -> Path:
    """A checkout whose .venv is up to date."""
    (fresh / STAMP).parent.mkdir()
    (fresh / STAMP).touch()
    (fresh / PEERS).touch()
    return fresh


def test_every_target_is_phony_and_the_promised_ones_are_there():
    rules = set(re.findall(r"^([a-z]+):", TEXT, re.MULTILINE))
    assert rules == set(TARGETS)
    promised = {
        "help",
        "setup",
        "demo",
        "train",
        "sweep",
        "report",
        "check",
        "lint",
        "type",
        "test",
        "smoke",
        "ci",
        "docs",
        "tensorboard",
        "clean",
    }
    assert promised <= rules


@pytest.mark.parametrize("arguments", [[], ["help"]], ids=["make", "make help"])
def test_help_lists_every_target_with_what_it_is_for(fresh, arguments):
    lines = [line.split(maxsplit=1) for line in make(fresh, *arguments).splitlines()]
    assert [line[0] for line in lines] == TARGETS
    assert all(len(line) == 2 for line in lines)
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("target", sorted(set(TARGETS) - MAKES_NO_VENV))
def test_a_target_makes_the_venv_first(fresh, target):
    steps = [line for line in make(fresh, "-n", target).splitlines() if not line.startswith("python3 -c")]
    assert steps[0] == "python3 -m venv .venv"
    assert "pip install" in steps[1]
    assert steps[2] == f"touch {STAMP}"


@pytest.mark.parametrize("target", TARGETS)
def test_a_second_call_installs_nothing(installed, target):
    said = make(installed, "-n", target)
    assert "-m venv" not in said
    assert "pip install" not in said


def test_a_changed_pyproject_installs_again(installed):
    stamp = (installed / STAMP).stat()
    newer = (stamp.st_atime + 10, stamp.st_mtime + 10)
    os.utime(installed / "pyproject.toml", newer)
    assert "pip install" in make(installed, "-n", "setup")


def test_python_chooses_the_interpreter_of_the_venv(fresh):
    assert "python3.99 -m venv .venv" in make(fresh, "-n", "setup", "PYTHON=python3.99")


@pytest.mark.parametrize(
    "target", ["demo", "train", "sweep", "report", "check", "smoke", "test", "docs", "tensorboard"]
)
def test_arguments_pass_through(installed, target):
    commands = make(installed, "-n", target, "ARGS=model=cvae trainer.max_epochs=3").rstrip()
    assert commands.endswith(" model=cvae trainer.max_epochs=3")


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("demo", "-m latentlab demo"),
        ("train", "-m latentlab train"),
        ("sweep", "-m latentlab train --multirun"),
        ("report", "-m latentlab report"),
        ("check", "-m latentlab check"),
        ("lint", "ruff format --check ."),
        ("type", "mypy"),
        ("test", "-m pytest"),
        ("docs", "mkdocs build --strict"),
        ("tensorboard", "tensorboard --logdir outputs"),
    ],
)
def test_a_target_runs_its_command_out_of_the_venv(installed, target, command):
    last = make(installed, "-n", target).splitlines()[-1]
    assert command in last
    assert ".venv/bin/" in last


def test_ci_is_lint_type_smoke_and_all_tests(installed):
    parts = "".join(make(installed, "-n", target) for target in ("lint", "type", "smoke", "test"))
    lines = make(installed, "-n", "ci").splitlines()
    done = " ".join(line for line in lines if not re.match(r"make(\[1\])?[: ]", line))
    every = "not slurm and not postgresql and not long and not gpu"
    assert done.split() == f'{parts} -m "{every}"'.split()
    settings = (ROOT / "pyproject.toml").read_text()
    assert f"-m '{every.replace('not gpu', 'not slow and not gpu')}'" in settings  # those of `make test`


def test_the_ci_script_calls_make_ci_and_nothing_else_of_substance():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    code = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    assert code[-1] == "exec make ci"
    # before it: where to stand, and where real MNIST lies
    assert all(re.match(r"set -|cd |if |fi$|export LATENTLAB_DATA$|LATENTLAB_DATA=", line) for line in code[:-1])


def test_clean_leaves_the_results(installed):
    removed = make(installed, "-n", "clean")
    assert ".venv" in removed
    assert "outputs" not in removed
