"""A complete run whose files a test damages, and what the three commands that read it answer."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.faults.causes import RUN, done_here

ON = "trainer.max_epochs=2"  # one more than the run has


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a complete run."""
    folder = tmp_path_factory.mktemp("whole")
    done_here(folder, *RUN, "trainer.max_epochs=1")
    (folder / "run" / "figures").mkdir(exist_ok=True)
    return folder / "run"


@pytest.fixture
def run(whole, tmp_path, monkeypatch):
    """A copy of it in an empty folder, in which commands are given; measuring it takes no time."""
    monkeypatch.chdir(tmp_path)
    from latentlab.evaluation.suites import SUITES, Suite

    monkeypatch.setitem(SUITES, "quick", Suite(1, {}, {}))
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def answer(run, tmp_path, monkeypatch, capfd):
    """(resuming | measuring | comparing) -> exit status and message; never a traceback, nor anything executed."""
    commands = {
        "resuming": ("train", [f"resume={run}", ON]),
        "measuring": ("evaluate", [f"run={run}", "suite=quick"]),
        "comparing": ("report", [f"runs=[{run}]", f"output={tmp_path}/page"]),
    }

    def call(name: str) -> tuple[int, str]:
        program, arguments = commands[name]
        from latentlab.__main__ import main

        monkeypatch.setattr(sys, "argv", ["latentlab", program, *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        output, error = capfd.readouterr()
        assert "Traceback" not in output + error
        assert not (tmp_path / "executed").exists()
        if ended.value.code:
            assert len([line for line in error.splitlines() if line.startswith("error: ")]) == 1
        return ended.value.code, output + error

    return call
