"""An output folder that nothing can be written to: reported at once, in one line; what is in it can still be read."""

import logging
import subprocess
import sys

import pytest

from latentlab.__main__ import main
from tests.faults.causes import RUN, mounted


@pytest.fixture
def disk(tmp_path):
    with mounted(tmp_path / "disk", mebibytes=8) as folder:
        yield folder


def lock_up(disk) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


def error_line(program, capfd, monkeypatch, *arguments: str) -> str:
    capfd.readouterr()
    monkeypatch.setattr(sys, "argv", ["latentlab", program, *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    output, error = capfd.readouterr()
    assert ended.value.code == 1
    assert "Traceback" not in output + error
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize("sweep", [[], ["-m", "seed=0,1"]], ids=["a run", "a sweep"])
def test_nothing_is_started_there(disk, capfd, monkeypatch, sweep):
    lock_up(disk)
    line = error_line("train", capfd, monkeypatch, *sweep, *RUN, f"paths.output_dir={disk}")
    assert "Read-only file system" in line
    assert str(disk) in line
    assert "paths.output_dir" in line


def test_a_run_there_is_neither_resumed_nor_measured_but_compared(disk, tmp_path, run_hydra, capfd, monkeypatch):
    run = disk / "run"
    assert run_hydra([*RUN, "trainer.max_epochs=1", "logger=none", f"hydra.run.dir={run}"]) == 0
    for handler in logging.root.handlers:
        handler.close()  # the run's log, which is open for writing
    lock_up(disk)
    for program, arguments in (
        ("train", [f"resume={run}", "trainer.max_epochs=2"]),
        ("evaluate", [f"run={run}"]),
    ):
        line = error_line(program, capfd, monkeypatch, *arguments)
        assert "Read-only file system" in line
        assert str(run) in line
    monkeypatch.setattr(sys, "argv", ["latentlab", "report", f"runs=[{run}]", f"output={tmp_path}/page"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert (tmp_path / "page" / "report.html").is_file()
