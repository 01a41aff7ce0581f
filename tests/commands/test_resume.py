"""A run that was stopped, however, ends in the weights of one that was left alone, bit for bit on the CPU."""

import json
import re
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from latentlab.__main__ import main
from latentlab.runs import Run
from latentlab.runs.stamp import FORMAT
from latentlab.training.callbacks.history import History
from tests.called import called
from tests.forked import Forked

# the classic VAE on digits, long enough an epoch to be hit in its middle
SETTING = [
    *("data=digits", "data.batch_size=16", "model=vae", "scheduler=one_cycle", "model/kl_schedule=linear"),
    *("trainer=cpu", "trainer.max_epochs=5", "callbacks=no_pictures", "seed=5"),
]


def start(folder: Path, *arguments: str) -> Forked:
    return Forked("train", *arguments, f"hydra.run.dir={folder}")


def wait_for_checkpoint(run: Run, process: Forked) -> None:
    """Until the first epoch is saved, and a little more: then the run is within a later epoch."""
    process.wait_until(lambda: run.last_checkpoint)
    time.sleep(0.1)
    assert process.poll() is None, process.output


def weights(run: Run) -> dict[str, torch.Tensor]:
    return torch.load(run.last_checkpoint, weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    done = called("train", *SETTING, f"hydra.run.dir={folder}")
    assert done.returncode == 0, done.stderr
    return Run(folder)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.long),
        (signal.SIGTERM, 143),
    ],
    ids=["SIGKILL", "SIGINT", "SIGTERM"],
)
def test_a_signalled_run_resumes_to_the_same_weights_bit_for_bit(tmp_path, undisturbed, number, status):
    run = Run(tmp_path / "run")
    process = start(run.folder, *SETTING)
    wait_for_checkpoint(run, process)
    process.send_signal(number)
    code, output = process.finish()
    assert code == status, output
    assert "Traceback" not in output
    assert run.metrics is None
    if number != signal.SIGKILL:
        assert run.status == {"status": "interrupted", "reason": f"signal {int(number)}"}

    done = called("train", f"resume={run.folder}")
    assert done.returncode == 0, done.stderr
    if number != signal.SIGKILL:  # each epoch has its line, also the one that was interrupted
        assert re.findall(r"epoch (\d)/5", output + done.stdout) == list("12345")
    expected, found = weights(undisturbed), weights(run)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    ours, theirs = run.metrics, undisturbed.metrics
    assert ours["metrics"] == pytest.approx(theirs["metrics"], rel=1e-12)
    assert {k: ours[k] for k in ("epochs", "steps", "config_hash")} == {
        k: theirs[k] for k in ("epochs", "steps", "config_hash")
    }


def test_a_signal_stops_a_run_whose_epochs_are_shorter_than_a_call(tmp_path):
    run = Run(tmp_path / "run")
    process = start(run.folder, *SETTING, "data.batch_size=256", "trainer.max_epochs=100000")
    wait_for_checkpoint(run, process)
    process.send_signal(signal.SIGINT)
    code, output = process.finish()
    assert code == 130, output
    epochs = torch.load(run.last_checkpoint, weights_only=True)["epoch"] + 1
    assert 0 < epochs < 100000
    resumed = Forked("train", f"resume={run.folder}", "trainer.max_epochs=100001")
    resumed.wait_until(lambda: "epoch " in resumed.output)
    resumed.kill_group()
    assert f"epoch {epochs + 1}/" in next(line for line in resumed.output.splitlines() if "epoch " in line)


SHORT = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=1", "callbacks=no_pictures"]


def test_a_complete_run_is_left_alone(resume, train):
    run = train(*SHORT)
    written = (run.folder / "metrics.json").stat().st_mtime_ns
    assert resume(f"resume={run.folder}") == 0
    assert (run.folder / "metrics.json").stat().st_mtime_ns == written


def test_an_unfinished_run_is_not_resumed_for_fewer_epochs_than_it_has(resume, train, capfd):
    run = train(*SHORT, "trainer.max_epochs=2")
    run.metrics_file.unlink()
    run.write_status("interrupted", "signal 15")
    assert resume(f"resume={run.folder}", "trainer.max_epochs=1") == 1
    assert "trainer.max_epochs: expected at least the 2 that are trained already, found 1" in capfd.readouterr().err
    assert run.status["status"] == "interrupted"


def test_a_complete_run_continues_where_epochs_are_added(resume, train):
    run = train(*SHORT)
    assert resume(f"resume={run.folder}", "trainer.max_epochs=3") == 0
    assert run.metrics["epochs"] == 3
    assert run.metrics["steps"] == 33


def test_a_complete_run_that_is_extended_and_fails_has_failed(resume, train, monkeypatch):
    run = train(*SHORT)

    def fail(*_):
        raise RuntimeError("no more")

    with monkeypatch.context() as patched:
        patched.setattr(History, "on_train_epoch_end", fail)
        with pytest.raises(RuntimeError, match="no more"):
            resume(f"resume={run.folder}", "trainer.max_epochs=3")
    assert run.status == {"status": "failed", "reason": "RuntimeError: no more"}
    assert resume(f"resume={run.folder}", "trainer.max_epochs=3") == 0
    assert run.status["status"] == "complete"
    assert run.metrics["epochs"] == 3


def test_a_run_resumes_from_its_last_epoch_also_where_an_earlier_one_is_the_best(resume, train):
    run = train(*SHORT, "trainer.max_epochs=3", "callbacks.checkpoint.mode=max")
    epochs = [torch.load(file, weights_only=True)["epoch"] for file in (run.best_checkpoint, run.last_checkpoint)]
    assert epochs == [0, 2]
    best = run.best_checkpoint.read_bytes()
    assert resume(f"resume={run.folder}", "trainer.max_epochs=4") == 0
    assert torch.load(run.last_checkpoint, weights_only=True)["epoch"] == 3
    assert run.best_checkpoint.read_bytes() == best


def test_another_config_is_refused_by_its_key(resume, train, capfd):
    run = train(*SHORT)
    assert resume(f"resume={run.folder}", "data.batch_size=64") == 1
    error = capfd.readouterr().err
    assert "error: data.batch_size: the run to resume has 128, found 64" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("complete", [True, False])
def test_a_run_of_another_version_resumes_by_its_format(resume, train, capfd, complete):
    """The stamp of a complete run is in its metrics, that of any other in its status."""
    run = train(*SHORT)
    if not complete:
        run.metrics_file.unlink()
    file = run.metrics_file if complete else run.status_file
    stamped = json.loads(file.read_text())
    assert stamped["format"] == FORMAT
    (stamped["versions"] if complete else stamped)["latentlab"] = "0.0.1"
    for number in (FORMAT + 1, FORMAT):
        file.write_text(json.dumps(stamped | {"format": number}))
        capfd.readouterr()
        status = resume(f"resume={run.folder}", "trainer.max_epochs=2")
        out, error = capfd.readouterr()
        if number != FORMAT:
            assert status == 1
            assert f"was made by latentlab 0.0.1 in format {number}, this is {version('latentlab')}" in error
            assert len(error.strip().splitlines()) == 1
    assert status == 0
    assert out.count(f"was made by latentlab 0.0.1, this is {version('latentlab')}") == 1
    assert run.metrics["epochs"] == 2
    assert run.stamp["latentlab"] == version("latentlab")


def test_a_folder_that_is_no_run_is_refused(resume, tmp_path, capfd):
    assert resume(f"resume={tmp_path}/nowhere") == 1
    assert "nowhere is not a run's folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("checkpoints/last.ckpt", "last.ckpt is damaged; replace it by another checkpoint of this run"),
        ("metrics.json", "metrics.json is damaged"),
        (".hydra/resolved.yaml", "resolved.yaml is damaged"),
    ],
)
def test_a_damaged_file_of_the_run_is_named(resume, train, capfd, file, message):
    run = train(*SHORT)
    whole = (run.folder / file).read_bytes()
    (run.folder / file).write_bytes(whole[: len(whole) // 3])
    assert resume(f"resume={run.folder}", "trainer.max_epochs=2") == 1
    error = capfd.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_folder_named_as_those_of_sweeps_resumes(resume, train):
    run = train(*SHORT)
    folder = run.folder.rename(run.folder.with_name("it's data=digits,seed=1"))
    assert resume(f"resume={folder}", "trainer.max_epochs=2") == 0
    assert Run(folder).metrics["epochs"] == 2


@pytest.mark.parametrize("argument", ["-m", "--multirun", "hydra.run.dir=elsewhere"])
def test_a_run_is_resumed_in_no_other_folder(resume, train, capfd, argument):
    run = train(*SHORT)
    assert resume(f"resume={run.folder}", argument) == 1
    assert f"leave out {argument.partition('=')[0]}" in capfd.readouterr().err


@pytest.fixture
def resume(monkeypatch):
    """Arguments -> exit status of the command line with its own reading of `resume=`, in this process."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["latentlab", "train", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        if isinstance(ended.value.code, str):
            print(ended.value.code, file=sys.stderr)
            return 1
        return ended.value.code

    return run


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_restarts(tmp_path):
    run = Run(tmp_path / "run")
    process = start(run.folder, *SETTING[:5], *SETTING[5:], "data.batch_size=2")
    process.wait_until(lambda: run.status["status"] == "running")
    process.send_signal(signal.SIGKILL)
    process.finish()
    assert run.last_checkpoint is None
    done = called("train", f"resume={run.folder}", "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr
    assert run.metrics["epochs"] == 1


def test_a_moved_run_keeps_its_best_epoch(train, tmp_path):
    first_is_best = "callbacks.checkpoint.mode=max"
    run = train(*SHORT, first_is_best, "trainer.max_epochs=2")
    before = run.metrics["metrics"]
    run.folder.rename(tmp_path / "moved")
    after = train("resume=moved", "trainer.max_epochs=3", folder="moved").metrics
    assert after["epochs"] == 3
    for name in ("val/objective_final", "test/objective", "test/mse"):
        assert after["metrics"][name] == before[name]


def test_a_run_that_was_stopped_early_is_complete(train):
    never_better = ("callbacks.early_stopping.patience=1", "callbacks.early_stopping.min_delta=1e9")
    run = train(*SHORT, "callbacks=[default,early_stopping]", *never_better, "trainer.max_epochs=5")
    before = run.metrics
    assert before["epochs"] == 2
    assert (
        "early stopping in epoch 2: val/objective_final was not better than" in (run.folder / "train.log").read_text()
    )
    assert train("resume=run").metrics == before


def test_a_run_that_was_killed_between_its_metrics_and_its_status_is_complete(train):
    run = train(*SHORT, "trainer.max_epochs=2")
    run.write_status("running")
    assert run.status["status"] == "interrupted"
    assert train("resume=run").status["status"] == "complete"


def test_an_epoch_without_a_validation_does_not_show_the_one_before(train):
    run = train(*SHORT, "trainer.max_epochs=3", "+trainer.check_val_every_n_epoch=2")
    lines = [line for line in (run.folder / "train.log").read_text().splitlines() if "epoch " in line]
    assert ["val/mse" in line for line in lines] == [False, True, False]


def test_a_run_that_is_trained_further_is_measured_once_that_has_ended(train):
    run = train(*SHORT, "trainer.max_epochs=2")
    content = run.metrics
    run.write_metrics({**content, "epochs": 1})  # as it was before the second epoch
    run.write_status("interrupted", "signal 2")
    refused = called("evaluate", f"run={run.folder}")
    assert refused.returncode == 1
    assert "is not complete (status: interrupted); finish it first" in refused.stderr


def test_early_stopping_in_the_first_epoch_is_said(train):
    at_once = "callbacks.early_stopping.stopping_threshold=1e9"
    run = train(*SHORT, "callbacks=[no_pictures,early_stopping]", at_once, "trainer.max_epochs=5")
    assert run.metrics["epochs"] == 1
    assert "early stopping in epoch 1: " in (run.folder / "train.log").read_text()
