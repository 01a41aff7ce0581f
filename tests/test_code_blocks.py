"""The code blocks of README and the documents: every language and every command has its check, and examples are run.

`tests/test_documents.py` composes the training commands and runs the examples of the documents in `RUN_THERE`.
"""

import contextlib
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from latentlab.commands.explore import quoted
from latentlab.config.command_line import composed
from latentlab.report.results.claims import read_reproductions
from latentlab.runs import Run
from tests.called import called
from tests.test_documents import COMMANDS, DOCUMENTS, FOREIGN, NAMES, TARGETS, blocks, shell_lines, train_arguments

ROOT = Path(__file__).parents[1]
LANGUAGES = {"bash", "python", "yaml", "mermaid", ""}
RUN_THERE = {"README.md", "docs/extending.md", "docs/python.md"}
SMALL = ["data.image_size=8", "trainer=smoke", "net.widths=[8]", "callbacks=no_pictures", "logger=csv", "quiet=true"]


def composes(text: str) -> None:
    """`test_every_training_command_composes` does it, but for what a document defines itself, which is run."""
    arguments = train_arguments(text)
    assert arguments is not None
    assert all("=" in word or word.startswith("-") or word == "conf" for word in arguments)
    if any(map(FOREIGN.match, arguments)):
        assert "--config-dir conf" in text


def is_answered(text: str) -> None:
    """By the help, or by the config."""
    done = called(*shlex.split(text)[1:])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def has_a_config(text: str) -> None:
    _, subcommand, *words = shlex.split(text)
    key = {"report": "sweep.name"}.get(subcommand, "run")
    named = [re.sub(r"^sweep=", "sweep.name=", word) if "=" in word else f"{key}={word}" for word in words]
    assert composed(subcommand, named, None)[key.partition(".")[0]] is not None


def has_runs_to_explore(text: str) -> None:
    config = composed("explore", quoted(shlex.split(text)[2:]), None)
    assert (config.runs is None) != (config.sweep.name is None)


def is_a_check(text: str) -> None:
    keys = [word.partition("=")[0] for word in shlex.split(text)[2:]]
    assert set(keys) <= {"record", "recorded"}
    assert "record" not in keys or "recorded" in keys


def is_a_reproduction(text: str) -> None:
    words = shlex.split(text)[2:]
    assert {word for word in words if "=" not in word} <= read_reproductions(ROOT / "conf" / "results.yaml").keys()
    assert {word.partition("=")[0] for word in words if "=" in word} <= {"seeds", "page", "compare", "minutes"}


def names_targets(text: str) -> None:
    assert set(re.findall(r"^make ([a-z]+)", text)) <= set(TARGETS)
    if train_arguments(text) is not None:
        composes(text)


def installs_what_there_is(text: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    known = {re.split("[<>=]", line)[0] for lines in extras.values() for line in lines}
    assert {*shlex.split(text)[2:]} <= known | {"."}


def starts_a_training_by_torchrun(text: str) -> None:
    from torch.distributed.run import parse_args

    given = parse_args(shlex.split(text)[1:])
    assert (given.module, given.training_script) == (True, "latentlab")
    composes(text)


def shows_curves(text: str) -> None:
    from tensorboard.program import TensorBoard

    TensorBoard().configure(shlex.split(text))


def is_of_wandb(text: str) -> None:
    from wandb.cli.cli import cli

    _, subcommand, *arguments = shlex.split(text)
    assert subcommand in cli.commands
    assert subcommand != "sweep" or (ROOT / arguments[-1]).is_file()


def switches_on_what_setup_makes(text: str) -> None:
    (folder,) = re.findall(r"^VENV\b.*= *(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert text == f"source {folder}/bin/activate"


def is_of_git(text: str) -> None:
    assert text.startswith("git clone https://github.com/OWNER/latentlab.git")


# the first that matches the beginning of a command checks it
CHECKS: dict[str, Callable[[str], None]] = {
    r"latentlab train .*--(help|cfg)\b": is_answered,
    r"(PYTHONPATH=\. |srun )?latentlab train ": composes,
    r"(PYTHONPATH=\. )?latentlab evaluate .*--config-dir": lambda text: None,  # of docs/extending.md, where it is run
    r"latentlab (evaluate|export|report|explore) --": is_answered,
    r"latentlab (evaluate|export|report) ": has_a_config,
    r"latentlab explore ": has_runs_to_explore,
    r"latentlab \w+$": lambda text: None,  # a mention; each subcommand is one of `SUBCOMMANDS`
    r"latentlab demo ": lambda text: composes(text.replace("latentlab demo", "latentlab train")),
    r"latentlab check": is_a_check,
    r"latentlab reproduce ": is_a_reproduction,
    r"make [a-z]+": names_targets,
    r"source ": switches_on_what_setup_makes,
    r"pip install ": installs_what_there_is,
    r"torchrun ": starts_a_training_by_torchrun,
    r"tensorboard ": shows_curves,
    r"wandb ": is_of_wandb,
    r"git clone ": is_of_git,
}


def test_every_block_is_of_a_language_that_is_checked():
    for file, name in zip(DOCUMENTS, NAMES, strict=True):
        fences = re.findall(r"^ *```(.*)$", file.read_text(), re.MULTILINE)
        assert len(fences) % 2 == 0, name
        assert set(fences[::2]) <= LANGUAGES, name
        assert not any(fences[1::2]), name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.place}: {command.text}")
def test_every_command_has_a_check_and_passes_it(folder, command):
    check = next((check for pattern, check in CHECKS.items() if re.match(pattern, command.text)), None)
    assert check is not None, "no check for such a command"
    check(command.text)


def shown_in(name: str) -> list[str]:
    return blocks((ROOT / name).read_text(), "python")


@pytest.mark.parametrize("name", [name for name in NAMES if shown_in(name) and name not in RUN_THERE])
def test_the_python_of_a_document_runs_from_top_to_bottom(train, tmp_path, name):
    text = "\n".join(shown_in(name))
    for folder in re.findall(r"outputs/runs/[\w-]+", text):
        run = train("data=digits", *SMALL, "model=vae")
        shutil.copytree(run.folder, tmp_path / folder, dirs_exist_ok=True)
    with contextlib.chdir(tmp_path):
        exec(compile(text, name, "exec"), {"__name__": name})


def test_the_arrays_of_the_example_are_trained_on(tmp_path):
    (command,) = [c.text for c in COMMANDS if c.place == "docs/own_data.md" and "data=arrays" in c.text]
    (code,) = shown_in("docs/own_data.md")
    with contextlib.chdir(tmp_path):
        exec(compile(code, "own_data.md", "exec"), {})
    small = [word for word in SMALL if "image_size" not in word]
    done = called(*shlex.split(command)[1:], *small, "name=cells", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Run(tmp_path / "outputs/runs/cells").metrics["data"] == "cells"


@pytest.mark.long  # each of its commands is composed and run elsewhere
def test_getting_started_from_the_first_command_to_the_last(tmp_path, outputs):
    page = (ROOT / "docs/getting_started.md").read_text()
    lines = [line for block in blocks(page, "bash") for line in shell_lines(block) if line.startswith("latentlab ")]
    assert len(lines) > 5
    for line in lines:
        _, subcommand, *words = shlex.split(line)
        further = SMALL if subcommand == "train" and not {"--help", "--cfg"} & set(words) else []
        if subcommand == "evaluate":
            further = [f"paths.output_dir={outputs}", "quiet=true"]
        done = called(subcommand, *words, *further, folder=tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    measured = Run(tmp_path / "outputs/runs/first_vae").metrics["metrics"]
    assert {"test/mse", "test/nll", "test/knn_error"} <= measured.keys()
    assert "sweeps/first_sweep" in page
    assert len(list((tmp_path / "outputs/sweeps/first_sweep").glob("*/metrics.json"))) == 6
    assert (tmp_path / "outputs/sweeps/first_sweep/report.html").is_file()
