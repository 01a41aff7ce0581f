"""Mistakes: one line, a nonzero exit status, and an unchanged run folder."""

import json
import shutil
import signal
from importlib.metadata import version

import numpy as np
import pytest

from latentlab.commands.run_folder import with_folder
from latentlab.errors import ConfigError, UserError
from latentlab.evaluation.suites import SUITES
from latentlab.runs import Run
from latentlab.runs.lock import held
from tests.evaluation.short_evaluations import TINY, write_stamp
from tests.forked import Forked


def refused(evaluate, capsys, *arguments):
    assert evaluate(*arguments) != 0
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


@pytest.fixture
def run(train):
    return train(*TINY, "model=ae", "callbacks=no_pictures")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("suite=fast", "suite: expected quick or full, found 'fast'"),
        ("samples=0", "samples: expected at least 1, found 0"),
        ("samples=many", "samples: expected int"),
        ("device=toaster", "device: expected auto"),
        ("device=meta", "device: expected auto"),
        ("sutie=quick", "did you mean suite"),
    ],
)
def test_a_wrong_value(run, evaluate, capsys, argument, message):
    capsys.readouterr()
    assert message in refused(evaluate, capsys, f"run={run.folder}", argument)


def test_no_folder_and_a_folder_without_a_run(tmp_path):
    with pytest.raises(UserError, match="run: missing"):
        with_folder("evaluate", ["suite=full"])
    with pytest.raises(UserError, match="not a run's folder"):
        with_folder("evaluate", [f"run={tmp_path}"])
    assert not list(tmp_path.iterdir())


def test_the_folder_alone_is_enough(tmp_path):
    file = Run(tmp_path / "model=ae,seed=0").config_file
    file.parent.mkdir(parents=True)
    file.touch()
    folder = str(tmp_path / "model=ae,seed=0")
    assert with_folder("evaluate", [folder, "suite=full"]) == with_folder("evaluate", [f"run={folder}", "suite=full"])
    with pytest.raises(UserError, match="run: expected one folder, found 2"):
        with_folder("evaluate", [folder, "another"])
    with pytest.raises(UserError, match=r"run: nowhere .*not a run's folder"):
        with_folder("evaluate", ["nowhere", "suite=full"])


def test_a_measurement_with_the_name_of_one_of_the_suite():
    with pytest.raises(ConfigError, match=r"measurements\.compression: the suite has a measurement of this name"):
        SUITES["quick"].with_measurements({"compression": lambda subject: iter(())})


def test_several_runs_at_once(run, evaluate, capsys):
    assert "only `latentlab train` runs sweeps" in refused(evaluate, capsys, "-m", f"run={run.folder}")


def test_an_incomplete_run(run, evaluate, capsys):
    (run.folder / "metrics.json").unlink()
    run.write_status("interrupted", "signal 2")
    capsys.readouterr()
    line = refused(evaluate, capsys, f"run={run.folder}")
    assert "is not complete (status: interrupted)" in line
    assert "latentlab train resume=" in line


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_evaluation_that_is_stopped_says_so(run, tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)  # where no reference classifier is kept: its training takes long enough
    process = Forked("evaluate", f"run={run.folder}", "quiet=true")
    process.wait_until(lambda: "training the reference classifier" in process.output)
    process.send_signal(number)
    status, output = process.finish(60)
    assert status == 128 + number
    assert output.endswith("stopped: this evaluation is not complete; the same command repeats it\n")
    assert "Traceback" not in output


def test_a_run_in_use_by_another_process(run, evaluate, capsys):
    """Its training or another evaluation would write the same files."""
    capsys.readouterr()
    with held(run.folder):
        assert "is in use by process" in refused(evaluate, capsys, f"run={run.folder}")


def test_data_that_has_moved(train, evaluate, capsys, tmp_path):
    file = tmp_path / "before.npz"
    np.savez(file, x=np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8))
    moved = train("data=arrays", f"data.file={file}", *TINY[2:], "model=ae", "callbacks=no_pictures", folder="moved")
    file.rename(tmp_path / "after.npz")
    capsys.readouterr()
    line = refused(evaluate, capsys, f"run={moved.folder}")
    assert f"expected a file of arrays, found none at {file}; give the place of the same data as data_root=FILE" in line
    assert evaluate(f"run={moved.folder}", f"data_root={tmp_path / 'after.npz'}") == 0


@pytest.mark.parametrize("number", [None, 0, 2])
def test_a_run_of_another_format(run, evaluate, capsys, number):
    write_stamp(run, number)
    capsys.readouterr()
    line = refused(evaluate, capsys, f"run={run.folder}")
    assert f"was made by latentlab 0.0.1 in format {number or 0}, this is {version('latentlab')}" in line
    assert line.endswith("; use latentlab 0.0.1 for it, or train it again in another folder")


def test_other_data(run, evaluate, capsys):
    metrics = run.metrics
    metrics["data_fingerprint"] = "00000000"
    run.write_metrics(metrics)
    capsys.readouterr()
    assert "trained on other images than digits now has" in refused(evaluate, capsys, f"run={run.folder}")


def test_a_damaged_metrics_file(run, evaluate, capsys):
    (run.folder / "metrics.json").write_text("{")
    capsys.readouterr()
    assert "metrics.json is damaged" in refused(evaluate, capsys, f"run={run.folder}")


@pytest.mark.parametrize("value", ["abc", [1], {}])
def test_a_metric_that_is_no_number(run, evaluate, capsys, value):
    content = json.loads(run.metrics_file.read_text())
    content["metrics"]["test/mse"] = value
    run.metrics_file.write_text(json.dumps(content))
    capsys.readouterr()
    assert "metrics.json is damaged (test/mse is not a number)" in refused(evaluate, capsys, f"run={run.folder}")


def test_a_later_evaluation_that_fails_keeps_what_an_earlier_one_recorded(run, evaluate, monkeypatch):
    assert evaluate(f"run={run.folder}", "suite=quick") == 0
    before = run.metrics["evaluation"]

    def stopped(subject):
        raise KeyboardInterrupt

    monkeypatch.setitem(SUITES["quick"].pictures, "codes", stopped)
    assert evaluate(f"run={run.folder}") == 130
    assert run.metrics["evaluation"] == before


def test_a_damaged_checkpoint(run, evaluate, capsys):
    file = run.folder / "checkpoints" / "best.ckpt"
    file.write_bytes(file.read_bytes()[:2_000])
    before = (run.folder / "metrics.json").read_text()
    capsys.readouterr()
    assert "best.ckpt is damaged" in refused(evaluate, capsys, f"run={run.folder}")
    assert (run.folder / "metrics.json").read_text() == before


def test_a_checkpoint_of_another_run(run, train, evaluate, capsys):
    """Of the same config and another seed: only the weights tell them apart."""
    other = train(*TINY, "model=ae", "callbacks=no_pictures", "seed=7", folder="other")
    shutil.copy(other.folder / "checkpoints" / "best.ckpt", run.folder / "checkpoints" / "best.ckpt")
    before = (run.folder / "metrics.json").read_text()
    capsys.readouterr()
    line = refused(evaluate, capsys, f"run={run.folder}")
    assert line.endswith("best.ckpt holds other weights than those that the run tested; train the run again")
    assert (run.folder / "metrics.json").read_text() == before


def test_weights_of_an_epoch_that_was_begun_after_the_test(run, train, evaluate, capsys):
    """As of a run that was trained further and stopped in its first new epoch, which has no line in the history."""
    other = train(*TINY, "model=ae", "callbacks=no_pictures", "seed=7", folder="other")
    shutil.copy(other.folder / "checkpoints" / "best.ckpt", run.folder / "checkpoints" / "best.ckpt")
    run.write_status("interrupted", "signal 15")
    capsys.readouterr()
    line = refused(evaluate, capsys, f"run={run.folder}")
    assert line.endswith(f"finish its training first: latentlab train resume={run.folder}")


def test_an_evaluation_leaves_the_status(run, evaluate):
    run.write_status("interrupted", "signal 15")
    assert evaluate(f"run={run.folder}", "samples=1") == 0
    assert run.status["status"] == "interrupted"


def test_a_checkpoint_of_another_model(run, evaluate, capsys):
    file = run.folder / ".hydra" / "resolved.yaml"
    file.write_text(file.read_text().replace("latent_dim: 4", "latent_dim: 5"))
    capsys.readouterr()
    assert "does not fit the model" in refused(evaluate, capsys, f"run={run.folder}")


def test_an_evaluation_that_fails_leaves_a_trained_run_complete(train, tmp_path):
    (tmp_path / "in_the_way").write_text("")
    run = train(*TINY, "evaluate=quick", f"paths.output_dir={tmp_path}/in_the_way", status=1)
    assert run.status["status"] == "complete"
    assert json.loads((run.folder / "metrics.json").read_text())["status"] == "complete"
