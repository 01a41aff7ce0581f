"""A disk that fills up: the run ends with a message that names it, and files that were whole stay whole."""

import json

import pytest
import torch

from latentlab.evaluation.suites import SUITES, Suite
from latentlab.runs import Run
from latentlab.runs.files import append_line, write_atomically
from tests.called import called
from tests.faults.causes import RUN, done_here, fill, filling, free, mounted

FULL = "No space left on device"


@pytest.fixture
def disk(tmp_path):
    with mounted(tmp_path / "disk", mebibytes=8) as folder:
        yield folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The metrics of the run where no disk is full."""
    return done_here(tmp_path_factory.mktemp("undisturbed"), *RUN)["metrics"]


@pytest.mark.parametrize("left", [0, 2**15], ids=["nothing left", "room for half a checkpoint"])
def test_while_checkpoints_are_written_the_one_before_stays_whole(disk, undisturbed, run_hydra, capfd, left):
    run = Run(disk / "run")
    folders = [f"paths.output_dir={disk}", f"hydra.run.dir={run.folder}"]
    assert run_hydra([*RUN, *filling(disk, "checkpoint", left), *folders]) == 1
    output, error = capfd.readouterr()
    assert f"error: {run.folder}/checkpoints/best.ckpt: {FULL}" in error
    assert "Traceback" not in output + error
    assert torch.load(run.last_checkpoint, weights_only=True)["epoch"] == 0
    assert {file.name for file in run.last_checkpoint.parent.iterdir()} == {"last.ckpt", "best.ckpt"}
    assert run.status["status"] == "interrupted"
    free(disk)
    assert run_hydra([f"resume={run.folder}"]) == 0
    assert run.metrics["metrics"] == undisturbed


def test_before_the_metrics_are_written_the_earlier_ones_stay_whole(disk, undisturbed, run_hydra, capfd):
    run = Run(disk / "run")
    folders = [f"paths.output_dir={disk}", f"hydra.run.dir={run.folder}", *filling(disk, "metrics")]
    disk.with_suffix(".filled").touch()  # not yet
    assert run_hydra([*RUN, *folders, "trainer.max_epochs=1"]) == 0
    earlier = run.metrics
    disk.with_suffix(".filled").unlink()
    assert run_hydra([f"resume={run.folder}", "trainer.max_epochs=3"]) == 1
    output, error = capfd.readouterr()
    assert FULL in error
    assert f"error: {run.folder}" in error
    assert "Traceback" not in output + error
    assert run.metrics == earlier
    free(disk)
    assert run_hydra([f"resume={run.folder}", "trainer.max_epochs=3"]) == 0
    assert run.metrics["metrics"] == undisturbed


@pytest.mark.slow
def test_a_sweep_resumes_the_job_that_met_it(disk, undisturbed, run_hydra, capfd):
    command = ["-m", *RUN, "seed=0,1", *filling(disk, "checkpoint"), f"paths.output_dir={disk}", "sweep.name=s"]
    assert run_hydra(command) == 1
    error = capfd.readouterr().err
    assert FULL in error
    assert "Traceback" not in error
    run = Run(disk / "sweeps" / "s" / "seed=0")
    free(disk)
    assert run.metrics is None
    assert run_hydra(command) == 0
    assert run.metrics["metrics"] == undisturbed
    epochs = [json.loads(line)["epoch"] for line in (run.folder / "history.jsonl").read_text().splitlines()]
    assert epochs.count(1) == 2  # validation and training: it went on, and was not repeated


def test_a_run_that_starts_on_a_full_disk_ends_in_one_line(disk, run_hydra, capfd):
    fill(disk)
    assert run_hydra([*RUN, f"paths.output_dir={disk}"]) == 1
    output, error = capfd.readouterr()
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert FULL in error
    assert "paths.output_dir" in error
    assert "Traceback" not in output


def test_the_reference_classifier_is_saved_whole_or_not_at_all(disk, tmp_path, train, monkeypatch, capfd):
    monkeypatch.setattr("latentlab.evaluation.reference_classifier.STEPS", 1)
    classifier = {"reference": lambda subject: [("one", float(subject.reference_classifier is not None))]}
    monkeypatch.setitem(SUITES, "quick", Suite(1, classifier, {}))
    run = train(*RUN, "trainer.max_epochs=1", "logger=none")
    fill(disk)
    evaluation = called("evaluate", f"run={run.folder}", f"paths.output_dir={disk}/out", folder=tmp_path)
    (line,) = evaluation.stderr.splitlines()
    assert line.startswith(f"error: {disk}/out/reference_classifiers/")
    assert FULL in line
    assert not list(disk.rglob("*.pt")) + list(disk.rglob("*.draft"))
    free(disk)
    assert called("evaluate", f"run={run.folder}", f"paths.output_dir={disk}/out", folder=tmp_path).returncode == 0


def test_tensorboard_s_thread_tells_it_in_a_line(disk, train, capfd):
    fill(disk)
    run = train(*RUN, "trainer.max_epochs=30", f"logger.tensorboard.save_dir={disk}", status=1)
    output, error = capfd.readouterr()
    assert FULL in error
    assert "Traceback" not in output + error
    assert run.status["status"] == "interrupted"


def test_a_file_is_written_whole_or_left_as_it_was(disk):
    file = disk / "file"
    write_atomically(file, "before")
    fill(disk)
    with pytest.raises(OSError, match=f"{FULL}: '{file}'"):
        write_atomically(file, bytes(2**20))
    assert file.read_text() == "before"
    assert sorted(path.name for path in disk.iterdir()) == ["ballast", "file"]


def test_a_line_is_added_whole_or_not_at_all(disk):
    file = disk / "lines"

    def add_many() -> None:
        for n in range(1000):
            append_line(file, json.dumps({"n": n, "text": "x" * 50}))

    append_line(file, json.dumps({"n": -1}))
    fill(disk)
    with pytest.raises(OSError, match=f"{FULL}: '{file}'"):
        add_many()
    written = [json.loads(line)["n"] for line in file.read_text().splitlines()]
    assert written == list(range(-1, len(written) - 1))
    free(disk)
    append_line(file, json.dumps({"n": -2}))
    assert json.loads(file.read_text().splitlines()[-1]) == {"n": -2}


@pytest.mark.parametrize("half", ["", '{"n": ', "\0" * 500], ids=["nothing", "half a line", "zeros"])
def test_half_a_line_of_an_earlier_end_gives_way(tmp_path, half):
    file = tmp_path / "lines"
    file.write_text('{"n": 1}\n' + half)
    append_line(file, '{"n": 2}')
    assert file.read_text() == '{"n": 1}\n{"n": 2}\n'
