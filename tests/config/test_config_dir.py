"""Configs of the user's own beside the shipped ones."""

import shutil

import pytest

from latentlab.config.config_dir import config_dir
from tests.config.command_line import answer


def test_a_key_that_is_there_twice_is_named_with_its_file_and_line(tmp_path):
    own = tmp_path / "optimizer" / "own.yaml"
    own.parent.mkdir()
    own.write_text("_target_: torch.optim.Adam\nlr: 1e-3\nlr: 2e-3\n")
    status, _, error = answer("--config-dir", str(tmp_path), "optimizer=own", "--cfg", "job")
    assert (status, error) == (1, f"error: --config-dir: {own} is damaged (found duplicate key lr, line 3)\n")


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
