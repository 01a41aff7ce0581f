"""A run that is trained in Python, as a fixture."""

import os

import pytest

import latentlab as ll
from tests.commands.python.short_runs import TINY


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run of a conditional VAE, with its pictures."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("python"))
    try:
        run = ll.train("model=cvae", *TINY, f"paths.output_dir={os.getcwd()}/outputs", name="first")
    finally:
        os.chdir(before)
    return run
