"""Standard streams that are closed, as `>&-` and some job schedulers leave them: what is to be trained is trained."""

import subprocess
import sys

import pytest

from latentlab.runs import Run
from tests.faults.causes import RUN


def ended(arguments: list[str], streams: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "latentlab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize("streams", [pytest.param(">&-", marks=pytest.mark.long), "<&- >&- 2>&-"])
def test_a_run_is_trained_and_measured(tmp_path, streams):
    run = Run(tmp_path / "run")
    done = ended(["train", *RUN, "data.labels=false", "trainer.max_epochs=1", f"hydra.run.dir={run.folder}"], streams)
    assert (done.returncode, done.stderr) == (0, "")
    assert run.metrics["epochs"] == 1
    done = ended(["evaluate", f"run={run.folder}", "suite=quick"], streams)
    assert (done.returncode, done.stderr) == (0, "")
    assert run.metrics["evaluation"]["suite"] == "quick"


JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.mark.long
@pytest.mark.parametrize("launcher", [[], JOBLIB])
def test_a_sweep_is_trained(tmp_path, launcher):
    sweep = ["train", "-m", *RUN, *launcher, "trainer.max_epochs=1", "seed=0,1", f"hydra.sweep.dir={tmp_path}"]
    done = ended(sweep, ">&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(tmp_path.glob("*/metrics.json"))) == 2
