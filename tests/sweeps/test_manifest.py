"""`sweep.json`: the commands that a sweep was run by, also of older versions."""

import json

import pytest

from latentlab.sweeps.manifest import Job, Manifest
from latentlab.sweeps.plan import extended

FIRST, SECOND = ("model=ae", "seed=0,1"), ("model=ae", "seed=0,1,2")


def test_every_command_is_recorded_once_in_order(tmp_path):
    manifest = Manifest("first")
    for command in (FIRST, SECOND, FIRST):
        manifest = extended(manifest, command, [Job("seed=0", ("seed=0",), "1234")])
    manifest.write(tmp_path)
    assert Manifest.of(tmp_path) == manifest
    assert manifest.commands == (FIRST, SECOND)
    assert len(manifest.jobs) == 1


@pytest.mark.parametrize(("command", "commands"), [([*FIRST], (FIRST, SECOND)), ([], (SECOND,))])
def test_the_command_of_an_older_manifest_is_kept(tmp_path, command, commands):
    job = {"folder": "seed=0", "overrides": ["seed=0"], "config_hash": "1234", "configs": ""}
    (tmp_path / "sweep.json").write_text(json.dumps({"name": "first", "command": command, "jobs": [job]}))
    manifest = Manifest.of(tmp_path)
    assert manifest.jobs == (Job("seed=0", ("seed=0",), "1234"),)
    assert extended(manifest, SECOND, []).commands == commands
