"""A sweep and a search in this process."""

import json
from pathlib import Path

import pytest

from tests.sweeps.short_searches import SEARCH
from tests.sweeps.short_sweeps import JOB


@pytest.fixture
def search(run_hydra, tmp_path, monkeypatch):
    """Arguments -> exit status and the trials in `search.json`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[dict]]:
        status = run_hydra(["-m", *SEARCH, *arguments, "sweep.name=s"])
        summary = Path("outputs/sweeps/s/search.json")
        return status, json.loads(summary.read_text())["trials"] if summary.is_file() else []

    return run


@pytest.fixture
def named(run_hydra, tmp_path, monkeypatch):
    """Arguments -> exit status of a sweep that is called `first`, and its folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: (run_hydra(["-m", *JOB, *arguments, "sweep.name=first"]), Path("outputs/sweeps/first"))
