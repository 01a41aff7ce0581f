"""The sweep that W&B directs: its command, expanded by W&B's own agent, drives the entry point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from tests.wandb_files import records

FILE = Path(__file__).parents[2] / "docs" / "wandb_sweep.yaml"
TINY = ["data=digits", "data.image_size=8", "trainer=smoke", "callbacks=no_pictures"]


def command_of(drawn: dict) -> list[str]:
    """What the agent would start for these values."""
    arguments = create_sweep_command_args({"args": {key: {"value": value} for key, value in drawn.items()}})
    template = create_sweep_command(yaml.safe_load(FILE.read_text())["command"])
    named = {"${env}": ["/usr/bin/env"], "${args_no_hyphens}": arguments["args_no_hyphens"]}
    return [word for entry in template for word in named.get(entry, [entry])]


@pytest.mark.long
def test_the_shipped_sweep_starts_a_run_of_its_own_id(tmp_path):
    drawn = yaml.safe_load(FILE.read_text())["parameters"]
    widths, seed = (drawn[key]["values"][-1] for key in ("net.widths", "seed"))
    command = command_of({"model": "vae", "optimizer.lr": 0.000731, "net.widths": widths, "seed": seed})
    assert command[:4] == ["/usr/bin/env", "latentlab", "train", "logger=wandb"]
    set_by_the_agent = {"WANDB_MODE": "offline", "WANDB_RUN_ID": "a1b2c3d4", "WANDB_SWEEP_ID": "s5w6e7e8"}
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    inherited = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}  # an earlier test's
    done = subprocess.run(
        [*command, *TINY],
        cwd=tmp_path,
        env={**inherited, **set_by_the_agent, **path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (offline,) = tmp_path.glob("outputs/runs/*/wandb/offline-run-*")
    recorded = records(offline)
    (run,) = [record["run"] for record in recorded if record["type"] == "run"]
    assert (run["run_id"], run["sweep_id"]) == ("a1b2c3d4", "s5w6e7e8")
    summaries = [record["summary"]["update"] for record in recorded if record["type"] == "summary"]
    assert any("val/objective_final" in summary for summary in summaries)
