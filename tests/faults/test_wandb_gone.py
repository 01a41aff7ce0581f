"""W&B's service killed in the middle of a run: the run is complete, and one line reports it."""

import psutil

from latentlab.runs import Run
from tests.faults.causes import RUN, finish, start, wait_until


def test_the_run_continues_without_it_and_the_next_one_has_it_again(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_SERVICE", raising=False)  # that of this process, if an earlier test opened it
    first, second = (Run(tmp_path / "sweep" / name) for name in ("seed=0", "seed=1"))
    arguments = ["-m", *RUN, "callbacks=default", "trainer.max_epochs=20", "logger=all", "seed=0,1"]
    process = start(*arguments, f"hydra.sweep.dir={tmp_path}/sweep")
    wait_until(lambda: first.last_checkpoint, process)
    (service,) = [c for c in psutil.Process(process.pid).children(recursive=True) if c.name() == "wandb-core"]
    service.kill()
    status, output = finish(process)
    assert status == 0, output
    assert output.count("W&B failed") == 1, output
    assert "Traceback" not in output
    assert [run.status["status"] for run in (first, second)] == ["complete", "complete"]
    assert first.metrics["epochs"] == 20
    assert list(first.folder.glob("events.out.tfevents.*"))
    assert first.figures
    assert list(second.folder.glob("wandb/offline-run-*/run-*.wandb"))
