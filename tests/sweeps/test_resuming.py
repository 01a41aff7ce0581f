"""The same command again skips what is complete, resumes what was stopped and restarts what failed."""

import json
import shutil
from pathlib import Path

import pytest

from latentlab.runs import Run
from latentlab.runs.lock import held
from tests.sweeps.short_sweeps import JOB, written


def jobs_of(folder: Path) -> list[str]:
    return [job["folder"] for job in json.loads((folder / "sweep.json").read_text())["jobs"]]


def test_complete_jobs_are_skipped_and_new_ones_join_them(named):
    status, folder = named("model=ae", "seed=0,1")
    before = written(folder)
    assert status == 0
    assert before.keys() == {"seed=0", "seed=1"}
    (folder / ".sweep.json.77").touch()  # as a kill leaves it
    status, _ = named("model=ae", "seed=1,2,0")
    assert not (folder / ".sweep.json.77").exists()
    after = written(folder)
    assert status == 0
    assert after.items() >= before.items()
    assert jobs_of(folder) == ["seed=0", "seed=1", "seed=2"]


def test_a_changed_config_is_a_new_job_named_by_what_changed(named):
    _, folder = named("model=ae", "seed=0,1")
    before = written(folder)
    named("model=ae", "seed=0,1", "optimizer.lr=1e-2")
    after = written(folder)
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {"seed=0,optimizer.lr=0.01", "seed=1,optimizer.lr=0.01"}


def test_the_same_config_by_other_overrides_is_the_same_job(named):
    _, folder = named("seed=0", "model=ae")
    before = written(folder)
    named("model=ae", "seed=0,0", "optimizer.lr=0.001", "quiet=true", "data.root=elsewhere")
    assert written(folder) == before


def test_another_callback_that_may_decide_the_result_makes_a_new_job(named):
    _, folder = named("model=ae", "seed=0")
    stopper = "+callbacks.stop={_target_:lightning.pytorch.callbacks.EarlyStopping,monitor:val/objective}"
    named("model=ae", "seed=0", stopper)
    assert len(written(folder)) == 2


@pytest.mark.slow
def test_an_evaluation_that_is_asked_for_later_is_made_without_training_again(sweep, outputs):
    arguments = (*JOB, "model=vae", "seed=0", f"paths.output_dir={outputs}")
    _, jobs = sweep(*arguments)
    (run,) = jobs.values()
    trained = run.last_checkpoint.stat().st_mtime_ns
    status, _ = sweep(*arguments, "evaluate=quick")
    assert status == 0
    assert run.metrics["evaluation"]["suite"] == "quick"
    assert run.last_checkpoint.stat().st_mtime_ns == trained


def test_a_failed_job_is_repeated_from_its_start_and_its_log_stays(named, monkeypatch, capfd):
    arguments = ("model=ae", "likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e5,1e-4")
    status, folder = named(*arguments)
    assert status == 1
    error = capfd.readouterr().err
    assert "1 of 2 jobs failed: optimizer.lr=100000.0 (NonFiniteObjective" in error
    before = written(folder)
    status, _ = named(*arguments)
    assert status == 1
    assert written(folder) == before
    log = (folder / "optimizer.lr=100000.0" / "train.log").read_text()
    assert log.count("Traceback") >= 2


def test_a_stopped_job_resumes_from_its_last_checkpoint(named):
    status, folder = named("model=vae", "seed=0,1", "trainer.max_epochs=3")
    assert status == 0
    run = Run(folder / "seed=1")
    expected = run.metrics
    history = (run.folder / "history.jsonl").read_text()
    (run.folder / "metrics.json").unlink()
    run.write_status("interrupted", "signal 15")
    status, _ = named("model=vae", "seed=0,1", "trainer.max_epochs=3")
    assert status == 0
    assert run.metrics["metrics"] == expected["metrics"]
    assert (run.folder / "history.jsonl").read_text() == history  # nothing was trained twice


def test_metrics_that_cannot_be_read_are_renamed_and_computed_again(named, capfd):
    _, folder = named("model=ae", "seed=0,1")
    file = folder / "seed=0" / "metrics.json"
    expected = json.loads(file.read_text())["metrics"]
    file.write_text('{"status": "comp')
    status, _ = named("model=ae", "seed=0,1")
    assert status == 0
    assert json.loads(file.read_text())["metrics"] == expected
    assert file.with_suffix(".damaged").is_file()


ALIKE = [pytest.param(content, marks=pytest.mark.long) for content in ("", "[]", "null")]


@pytest.mark.parametrize("content", ["{", '{"name": 1}', *ALIKE])
def test_a_damaged_manifest_is_recreated_from_the_runs(named, content):
    _, folder = named("model=ae", "seed=0,1")
    before = written(folder)
    (folder / "sweep.json").write_text(content)
    status, _ = named("model=ae", "seed=0,1")
    assert status == 0
    assert written(folder) == before
    assert jobs_of(folder) == ["seed=0", "seed=1"]


def test_a_manifest_that_leads_out_of_its_folder_is_not_followed(named, tmp_path):
    _, folder = named("model=ae", "seed=0,1")
    other = tmp_path / "precious" / "thesis.txt"
    other.parent.mkdir()
    other.write_text("unsaved")
    manifest = json.loads((folder / "sweep.json").read_text())
    manifest["jobs"][0]["folder"] = "../../../precious"
    (folder / "sweep.json").write_text(json.dumps(manifest))
    status, _ = named("model=ae", "seed=0,1")
    assert status == 0
    assert list(other.parent.iterdir()) == [other]
    assert jobs_of(folder) == ["seed=0", "seed=1"]


def test_a_damaged_checkpoint_is_reported_and_then_repeated_from_the_start(named, capfd):
    _, folder = named("model=ae", "seed=0,1")
    run = Run(folder / "seed=0")
    expected = run.metrics["metrics"]
    (run.folder / "metrics.json").unlink()
    run.last_checkpoint.write_bytes(b"no checkpoint")
    status, _ = named("model=ae", "seed=0,1")
    assert status == 1
    assert "last.ckpt is damaged" in capfd.readouterr().err
    status, _ = named("model=ae", "seed=0,1")
    assert status == 0
    assert run.metrics["metrics"] == expected


def test_two_sweeps_at_once_in_one_folder_are_refused_with_the_process_that_holds_it(named, capfd):
    named("model=ae", "seed=0")
    with held(Path("outputs/sweeps/first")):
        status, _ = named("model=ae", "seed=0,1")
    assert status == 1
    assert "first is in use by process" in capfd.readouterr().err


def test_a_running_run_is_not_resumed_by_another_process(named, run_hydra, capfd):
    _, folder = named("model=ae", "seed=0")
    run = next(folder.glob("*/.hydra")).parent
    with held(run):
        Run(run).write_status("running")
        assert run_hydra([f"hydra.run.dir='{run}'", *JOB]) == 1
    assert "holds a run already (status: running); wait for its end" in capfd.readouterr().err


def test_a_complete_run_is_not_overwritten_by_another(train, capfd):
    run = train(*JOB)
    before = {file: file.read_bytes() for file in run.folder.rglob("*") if file.is_file()}
    train(*JOB, "trainer.max_epochs=2", status=1)
    assert "hydra.run.dir: " in (error := capfd.readouterr().err)
    assert "holds a run already (status: complete); continue it by resume=" in error
    assert {file: file.read_bytes() for file in run.folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/b", "''"])
def test_a_name_that_leads_out_of_the_outputs_is_refused(run_hydra, tmp_path, monkeypatch, capfd, name):
    monkeypatch.chdir(tmp_path)
    assert run_hydra(["-m", *JOB, "seed=0,1", f"sweep.name={name}"]) == 1
    assert "sweep.name: expected" in capfd.readouterr().err
    assert not list(tmp_path.rglob("*"))


def test_an_unsound_job_leaves_no_folder_behind(run_hydra, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert run_hydra(["-m", *JOB, "seed=0,x"]) == 1
    assert "seed" in capfd.readouterr().err
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("is_link", [True, False])
def test_a_run_that_was_linked_or_copied_into_the_sweep_is_left_alone(named, train, is_link):
    named("model=ae", "seed=0")
    other = train(*JOB, "model=ae", "seed=1", "model.latent_dim=3", folder="other")
    folder = Path("outputs/sweeps/first")
    if is_link:
        (folder / "seed=1").symlink_to(other.folder)
    else:
        shutil.copytree(other.folder, folder / "seed=1")
    before = written(folder)["seed=1"]
    assert named("model=ae", "seed=0,1")[0] == 0
    assert written(folder)["seed=1"] == before
    assert Run(folder / "seed=1").config.model.latent_dim == 3
    _, added = jobs_of(folder)
    assert added != "seed=1"
    assert Run(folder / added).metrics["seed"] == 1
