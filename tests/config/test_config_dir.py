"""Configs of the user's own beside the shipped ones."""

import shutil

import pytest

from latentlab.config.config_dir import config_dir
from tests.config.command_line import answer


@pytest.mark.parametrize("name", ["model/vae.yaml", "train.yaml"])
def test_one_that_a_shipped_config_would_hide_is_refused(tmp_path, name):
    own = tmp_path / "own" / name
    own.parent.mkdir(parents=True)
    shutil.copyfile(config_dir() / name, own)  # a copy is harmless
    status, _, _ = answer("--config-dir", str(tmp_path / "own"), "--cfg", "job")
    assert status == 0
    own.write_text(own.read_text() + "# edited\n")
    status, _, error = answer("--config-dir", str(tmp_path / "own"), "--cfg", "job")
    assert status == 1
    assert error == (
        f"error: --config-dir: {own} has the name of a shipped config, which would be used in its place; "
        "give it another name\n"
    )
