"""A search whose trials are in a real PostgreSQL. Run by `make postgresql`, which may install it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from latentlab.runs import Run
from tests.called import called
from tests.postgresql.server import NoServerError, running
from tests.sweeps.short_sweeps import JOB

pytest.importorskip("psycopg", reason="pip install 'psycopg[binary]'")
pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(900)]

SEARCH = ["-m", *JOB, "hydra/sweeper=optuna", "model=ae", "optimizer.lr=tag(log, interval(1e-4, 1e-1))"]


@pytest.fixture(scope="module")
def server():
    try:
        with running() as started:
            yield started
    except NoServerError as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture
def start(server, tmp_path):
    """The sweep's name, arguments -> a search that is under way."""

    def started(name: str, *arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "latentlab",
            "train",
            *SEARCH,
            *arguments,
            *in_database(server, tmp_path / name),
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return started


def in_database(server, folder: Path) -> list[str]:
    return [f"hydra.sweeper.storage='{server.url}'", f"hydra.sweep.dir={folder}"]


def trials(folder: Path) -> list[dict]:
    return json.loads((folder / "search.json").read_text())["trials"]


def test_processes_search_together_as_in_a_journal(server, start, tmp_path):
    """Two processes share the server; one alone draws what it draws with a journal."""
    both = [start("both", "hydra.sweeper.trials=6") for _ in range(2)]
    for process in both:
        output, _ = process.communicate(timeout=400)
        assert process.returncode == 0, output
    found = trials(tmp_path / "both")
    assert [trial["number"] for trial in found] == list(range(6))
    assert len({trial["params"]["optimizer.lr"] for trial in found}) == 6
    few = [*SEARCH, "hydra.sweeper.trials=2"]
    assert called("train", *few, *in_database(server, tmp_path / "alone")).returncode == 0
    assert called("train", *few, f"hydra.sweep.dir={tmp_path / 'journal'}").returncode == 0
    assert trials(tmp_path / "alone") == trials(tmp_path / "journal")
    names = optuna.get_all_study_names(server.url)
    assert sorted(name.rpartition("-")[0] for name in names) == ["alone", "both"]


def test_a_server_that_stops_during_a_training_fails_no_trial(server, start, tmp_path):
    long = ("trainer.max_epochs=60", "data.batch_size=16", "hydra.sweeper.trials=2")
    process = start("stopped", *long)
    while not list((tmp_path / "stopped").glob("0001*/checkpoints/last.ckpt")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    server.stop()
    try:
        output, _ = process.communicate(timeout=400)
        assert process.returncode == 1
        assert "Traceback" not in output
        assert output.count("the search's storage failed at epoch") == 1
        assert "hydra.sweeper.storage: the database failed" in output.strip().splitlines()[-1]
        assert [Run(file.parent).status["status"] for file in (tmp_path / "stopped").glob("*/status.json")] == [
            "complete"
        ] * 2
        unreachable = called("train", *SEARCH, *long, *in_database(server, tmp_path / "stopped"))
        assert unreachable.returncode == 1
        assert len(unreachable.stderr.strip().splitlines()) == 1
        assert "Connection refused" in unreachable.stderr
        assert "correct it or start the server" in unreachable.stderr
    finally:
        server.start()
    again = called("train", *SEARCH, *long, *in_database(server, tmp_path / "stopped"))
    assert again.returncode == 0, again.stderr
    assert [trial["state"] for trial in trials(tmp_path / "stopped")] == ["complete"] * 2
