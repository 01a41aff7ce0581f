"""The flags that show something instead of running."""

import errno
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from omegaconf import DictConfig

from latentlab.__main__ import SUBCOMMANDS
from latentlab.config.command_line import loader_of
from tests.called import called
from tests.config.command_line import answer, error_line

SOURCE = str(Path(__file__).parents[2] / "src")

pytestmark = pytest.mark.usefixtures("folder")


def test_help_lists_groups_and_ten_commands():
    status, out, err = answer("--help")
    commands = [line for line in out.splitlines() if line.startswith("latentlab train ")]
    assert (status, err, len(commands)) == (0, "", 10)
    groups = "model net likelihood data optimizer scheduler trainer callbacks logger experiment sweep hydra"
    assert all(re.search(f"^{group}: ", out, re.MULTILINE) for group in groups.split())


GROUPS = loader_of(None).groups.options


@pytest.mark.parametrize("group", [group for group, options in GROUPS.items() if not group.startswith("hydra")])
def test_help_says_what_each_option_of_a_group_is(group: str):
    status, out, err = answer("--help", group)
    assert (status, err) == (0, "")
    shown = re.split(rf"^{group}=(.*)$", out, flags=re.MULTILINE)
    assert shown[1::2] == list(GROUPS[group])
    for name, about in zip(shown[1::2], shown[2::2], strict=True):
        assert len(about.split()) >= 3, name
        assert "Customize every aspect" not in about, name


def test_help_about_a_key_that_belongs_to_no_group():
    status, out, _ = answer("--help", "seed")
    assert status == 0
    assert re.match(r"seed +int +0 +\w+", out)


def test_help_about_an_option_names_its_group():
    assert error_line("--help", "early_stopping") == "early_stopping: an option; see --help callbacks=early_stopping"


def test_help_about_an_unknown_group_is_one_line():
    assert error_line("--help", "modle").startswith("modle: no such config group; did you mean model?")


@pytest.mark.slow
def test_the_commands_in_the_help_are_sound():
    _, out, _ = answer("--help")
    for line in out.splitlines():
        if line.startswith("latentlab train ") and "resume=" not in line:
            shown = [] if " -m " in line else ["--cfg", "job"]
            assert answer(*shlex.split(line)[2:], *shown)[::2] == (0, ""), line


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in SUBCOMMANDS)])
def test_help_shows_arguments_that_bash_and_zsh_pass_on_as_they_are(arguments: list[str]):
    shown = called(*arguments).stdout
    words = re.sub(r"(?<!\w)'[^'\n]*'|\"[^\"]*\"", "", shown).split()
    assert max(map(len, shown.splitlines())) <= 140
    assert len(words) > 15
    for word in words:
        if "=" in word or "/" in word:
            assert not re.search(r"[\[\]*?(){}]", word.removeprefix("[").removesuffix("]")), word


@pytest.mark.parametrize("arguments", [["--version"], ["train", "--version"], ["evaluate", "--version"]])
def test_version_is_latentlabs_own(arguments: list[str]):
    assert called(*arguments)[:2] == (0, f"latentlab {version('latentlab')}\n")


@pytest.mark.parametrize("flags", [["--cfg", "job"], ["--cfg", "job", "--resolve", "-p", "model"], ["--info"]])
def test_hydras_own_flags_work(flags: list[str]):
    status, out, err = answer("model=cvae", *flags)
    assert (status, err) == (0, "")
    assert "latentlab.models.cvae.CVAE" in out


def test_hydra_help_works():
    assert "hydra" in answer("--hydra-help")[1].lower()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["train", "--help"], ["evaluate", "--help"], [], ["--version"]])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str], unbuffered: str):
    command = [sys.executable, "-m", "latentlab", *arguments]
    environment = {**os.environ, "PYTHONPATH": SOURCE, "PYTHONUNBUFFERED": unbuffered}
    reader, writer = os.pipe()
    os.close(reader)  # as `head -1` does, but surely before the first word
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(command, env=environment, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (done.stderr, done.returncode) == ("", 141)


def test_another_broken_pipe_is_reported():
    def job(config: DictConfig) -> float:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    assert "Broken pipe" in error_line(job=job)


def test_a_folder_that_is_no_more_is_named(folder, monkeypatch):
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert error_line("data=digits") == "the current folder was deleted or moved; change to one that exists"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["--help", "model"]])
def test_a_full_disk_under_the_output_is_named(arguments):
    command = [sys.executable, "-m", "latentlab", "train", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")
