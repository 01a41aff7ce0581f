"""Many jobs in one process: memory, open files, threads and figures stay as they are."""

import gc
import os

import psutil
import pytest
from matplotlib.figure import Figure

from latentlab.commands.job import job
from latentlab.config import run_hydra
from tests.sweeps.short_sweeps import JOB

SMALL = [
    *JOB[:2],
    *("trainer=smoke", "callbacks=no_pictures", "logger=tensorboard", "sweep.report=false", "net.widths=[16]"),
    "+callbacks.reconstructions={_target_:latentlab.training.callbacks.reconstructions.Reconstructions,every_n_epochs:1}",
]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_jobs_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process, states, jobs = psutil.Process(), [], 200

    def state() -> tuple[int, int, int, int]:
        gc.collect()
        figures = sum(isinstance(thing, Figure) for thing in gc.get_objects())
        return process.memory_info().rss, process.num_fds(), process.num_threads(), figures

    def watched(config):
        value = job(config)
        states.append(state() if len(states) in (7, jobs - 1) else None)
        return value

    seeds = ",".join(map(str, range(jobs // 2)))
    assert (
        run_hydra(
            watched, "train", ["-m", *SMALL, "model=vae,sparse_ae", f"seed={seeds}", "sweep.name=soak"], sweeps=True
        )
        == 0
    )
    assert len(states) == jobs
    (memory, files, threads, figures), (memory_then, files_then, threads_then, figures_then) = states[7], states[-1]
    print(f"resident at job 8 {memory / 2**20:.0f} MiB, at job {jobs} {memory_then / 2**20:.0f} MiB")
    assert memory_then <= 1.10 * memory
    assert files_then <= files
    assert threads_then <= threads
    assert figures_then <= figures
    assert len(os.listdir(tmp_path / "outputs" / "sweeps" / "soak")) == jobs + 2  # the manifest and the lock
