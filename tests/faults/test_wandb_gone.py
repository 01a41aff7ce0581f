"""W&B's service killed in the middle of a run: the run is complete, and one line reports it."""

import pytest

from latentlab.runs import Run
from tests.faults.causes import RUN
from tests.forked import Forked


@pytest.mark.long
def test_the_run_continues_without_it_and_the_next_one_has_it_again(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_SERVICE", raising=False)  # that of this process, if an earlier test opened it
    first, second = (Run(tmp_path / "sweep" / name) for name in ("seed=0", "seed=1"))
    arguments = ["-m", *RUN, "callbacks=default", "trainer.max_epochs=20", "logger=all", "seed=0,1"]
    process = Forked("train", *arguments, f"hydra.sweep.dir={tmp_path}/sweep")
    process.wait_until(lambda: first.last_checkpoint)
    (service,) = [c for c in process.children() if c.name() == "wandb-core"]
    service.kill()
    status, output = process.finish()
    assert status == 0, output
    assert output.count("W&B failed") == 1, output
    assert "Traceback" not in output
    assert [run.status["status"] for run in (first, second)] == ["complete", "complete"]
    assert first.metrics["epochs"] == 20
    assert list(first.folder.glob("events.out.tfevents.*"))
    assert first.figures
    assert list(second.folder.glob("wandb/offline-run-*/run-*.wandb"))
