"""One GPU a job where there are several; the machine of the test needs none, as only what is visible is chosen."""

import os
import subprocess
import sys

import pytest

from latentlab.sweeps.own_gpu import gpu_of
from tests.sweeps.short_sweeps import JOB


@pytest.mark.parametrize(
    ("worker", "visible", "chosen"),
    [
        ("LokyProcess-1", ["0", "1"], "0"),
        ("LokyProcess-2", ["0", "1"], "1"),
        ("LokyProcess-3", ["0", "1"], "0"),
        ("LokyProcess-2", ["GPU-5ebe9f43", "GPU-ac33420d", "MIG-1"], "GPU-ac33420d"),
        ("LokyProcess-2", ["3"], None),
        ("LokyProcess-2", [], None),
        ("MainProcess", ["0", "1"], None),
    ],
)
def test_workers_take_turns(worker, visible, chosen):
    assert gpu_of(worker, visible) == chosen


def test_two_jobs_at_once_see_a_gpu_each(tmp_path):
    command = [sys.executable, "-m", "latentlab", "train", "-m", *JOB, "trainer.accelerator=auto", "seed=0,1,2,3"]
    command += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={tmp_path}"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "4,7"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    said = "".join(log.read_text() for log in tmp_path.glob("seed=*/train.log"))
    assert "GPU 4 is this worker's" in said
    assert "GPU 7 is this worker's" in said
