"""One GPU a job where there are several; the machine of the test needs none, as only what is visible is chosen."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hydra.core.hydra_config import HydraConfig

from latentlab.sweeps.own_gpu import use_own_gpu
from tests.sweeps.short_sweeps import JOB


def chosen_by_workers(folder: Path, workers: int, visible: str | None) -> list[str | None]:
    """What each of several processes, which all live until the last has chosen, sees of the visible GPUs."""
    context = multiprocessing.get_context("spawn")
    queue, done = context.Queue(), context.Event()
    processes = [context.Process(target=choose, args=(folder, visible, queue, done)) for _ in range(workers)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=120) for _ in processes]
    done.set()
    for process in processes:
        process.join()
    return sorted(found, key=str)


def choose(folder, visible, queue, done) -> None:
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
    with patch.object(HydraConfig, "get", return_value=SimpleNamespace(sweep=SimpleNamespace(dir=folder))):
        use_own_gpu()
        use_own_gpu()
    queue.put(os.environ.get("CUDA_VISIBLE_DEVICES"))
    done.wait(120)


@pytest.mark.parametrize(
    ("workers", "visible", "chosen"),
    [
        (2, "0,1", ["0", "1"]),
        (3, "0,1", ["0", "0", "1"]),
        (2, "GPU-5ebe9f43,GPU-ac33420d,MIG-1", ["GPU-5ebe9f43", "GPU-ac33420d"]),
        (2, "3", ["3", "3"]),
        (2, "", ["", ""]),
    ],
)
def test_workers_take_turns(tmp_path, workers, visible, chosen):
    assert chosen_by_workers(tmp_path, workers, visible) == chosen


def test_a_process_that_no_launcher_has_started_sees_all_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    use_own_gpu()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_the_number_of_a_killed_worker_is_free_again(tmp_path):
    code = (
        "import os, pathlib; from latentlab.sweeps.own_gpu import lowest_free_number as take\n"
        "print(take(pathlib.Path()), take(pathlib.Path()), flush=True); os.kill(os.getpid(), 9)"
    )
    ended = [subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True) for _ in range(2)]
    assert [done.stdout for done in ended] == [b"0 1\n"] * 2


@pytest.mark.long
def test_two_jobs_at_once_see_a_gpu_each(tmp_path):
    command = [sys.executable, "-m", "latentlab", "train", "-m", *JOB, "trainer.accelerator=auto", "seed=0,1,2,3"]
    command += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={tmp_path}"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "4,7"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    logs = "".join(log.read_text() for log in tmp_path.glob("seed=*/train.log"))
    assert "this worker uses GPU 4" in logs
    assert "this worker uses GPU 7" in logs
