"""Two CPU processes against one: the same training on the same global batches, every image counted once."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from latentlab.runs import Run
from tests.called import called
from tests.forked import Forked

SETTING = [
    *("data=digits", "data.image_size=8", "data.batch_size=128", "trainer.max_epochs=2", "net.widths=[16]"),
    *("callbacks=no_pictures", "trainer.accelerator=cpu", "optimizer=sgd", "optimizer.lr=1e-4"),
]


def metrics_of(folder: Path, *arguments: str) -> dict:
    done = called("train", *SETTING, *arguments, f"hydra.run.dir={folder}")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "metrics.json").read_text())


def metrics_of_two(folder: Path, *arguments: str) -> dict:
    status, output = Forked("train", *SETTING, *arguments, "trainer=ddp", f"hydra.run.dir={folder}").finish(240)
    assert status == 0, output
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.long
@pytest.mark.parametrize(
    "model",
    [["model=sparse_ae", "model/penalty=kl"], ["model=denoising_ae"]],
    ids=lambda arguments: arguments[0],
)
def test_two_processes_report_what_one_process_reports(tmp_path, model):
    one = metrics_of(tmp_path / "one", *model)
    two = metrics_of_two(tmp_path / "two", *model)
    assert two["device"] == "2 x cpu"
    assert (two["steps"], two["epochs"]) == (one["steps"], one["epochs"])
    assert two["metrics"] == pytest.approx(one["metrics"], rel=1e-5)


@pytest.mark.slow
def test_two_processes_end_in_the_evaluation_of_one(tmp_path, outputs):
    arguments = ("model=vae", "model.free_bits=0.1", "evaluate=quick", f"paths.output_dir={outputs}")
    one = metrics_of(tmp_path / "one", *arguments)
    two = metrics_of_two(tmp_path / "two", *arguments)
    assert two["evaluation"]["skipped"] == one["evaluation"]["skipped"]
    for name in ("test/objective", "test/elbo", "test/kl", "test/free_bits", "test/mse", "test/bce"):
        assert two["metrics"][name] == pytest.approx(one["metrics"][name], rel=1e-5)
    for name in ("test/nll", "test/linear_probe_error", "test/mse_quantized"):
        assert two["metrics"][name] == pytest.approx(one["metrics"][name], rel=1e-3)


@pytest.mark.long  # a run of two devices is above, a sweep's processes are in tests/sweeps
def test_a_sweep_gives_a_job_of_two_devices_a_process_and_all_the_data(tmp_path):
    sweep = ["-m", *SETTING, "trainer=ddp", "trainer.devices=1,2", f"hydra.sweep.dir={tmp_path}"]
    status, output = Forked("train", *sweep).finish(240)
    assert status == 0, output
    runs = {json.loads(f.read_text())["device"]: json.loads(f.read_text()) for f in tmp_path.glob("*/metrics.json")}
    assert runs.keys() == {"1 x cpu", "2 x cpu"}
    assert runs["2 x cpu"]["metrics"] == pytest.approx(runs["1 x cpu"]["metrics"], rel=1e-5)


@pytest.mark.long
def test_sigterm_to_the_first_of_two_processes_stops_both_with_a_checkpoint(tmp_path):
    process = Forked("train", *SETTING, "trainer=ddp", "trainer.max_epochs=100000", f"hydra.run.dir={tmp_path}")
    try:
        process.wait_until((tmp_path / "checkpoints" / "last.ckpt").exists)
        others = process.children()
        process.send_signal(signal.SIGTERM)
        status, output = process.finish(60)
        assert not psutil.wait_procs(others, timeout=60)[1]
    finally:
        if process.poll() is None:
            process.kill_group()
    assert status == 143, output
    assert "Traceback" not in output
    assert Run(tmp_path).status == {"status": "interrupted", "reason": "signal 15"}


@pytest.mark.long
def test_a_run_of_two_processes_resumes(tmp_path):
    whole = metrics_of(tmp_path / "whole")  # one process, whose metrics two must have
    metrics_of_two(tmp_path / "halved", "trainer.max_epochs=1")
    status, output = Forked("train", f"resume={tmp_path}/halved", "trainer.max_epochs=2").finish(240)
    assert status == 0, output
    resumed = json.loads((tmp_path / "halved" / "metrics.json").read_text())
    assert resumed["steps"] == whole["steps"]
    assert resumed["metrics"] == pytest.approx(whole["metrics"], rel=1e-5)
