"""A search in this process."""

import json
from pathlib import Path

import pytest

from tests.sweeps.short_searches import SEARCH


@pytest.fixture
def search(run_hydra, tmp_path, monkeypatch):
    """Arguments -> exit status and the trials in `search.json`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[dict]]:
        status = run_hydra(["-m", *SEARCH, *arguments, "sweep.name=s"])
        summary = Path("outputs/sweeps/s/search.json")
        return status, json.loads(summary.read_text())["trials"] if summary.is_file() else []

    return run
