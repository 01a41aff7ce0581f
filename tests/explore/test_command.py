"""What `latentlab explore` is given: one line for a mistake, before anything is served."""

import re
import shutil
import socket

import pytest
import yaml

from latentlab.config.config_dir import config_dir
from latentlab.explore.sweeps import names, runs_of
from latentlab.runs import Run
from tests.called import called

TINY = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=none", "callbacks=no_pictures"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A sweep of three runs: two seeds of one config, one of another."""
    from latentlab.commands.job import job
    from latentlab.config import run_hydra

    folder = tmp_path_factory.mktemp("explored") / "sweep"
    chosen = ["model.latent_dim=2,3", "seed=0,1", f"hydra.sweep.dir={folder}", "sweep.report=false"]
    assert run_hydra(job, "train", ["-m", *TINY, *chosen], sweeps=True) == 0
    return folder


@pytest.fixture
def run(trained, tmp_path) -> Run:
    """A copy of a run, to be damaged."""
    source = next(path for path in sorted(trained.iterdir()) if path.is_dir())
    return Run(shutil.copytree(source, tmp_path / "run"))


def said(*arguments: str) -> str:
    """The one line that a mistake ends in."""
    done = called("explore", "open=false", *arguments)
    lines = [line for line in done.stderr.splitlines() if line]
    assert (done.returncode, len(lines)) == (1, 1), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run: give one of run=FOLDER, runs=[FOLDER,FOLDER] and sweep=NAME"),
        (["runs=[]"], "run: give one of"),
        (["sweep=a", "run=b"], "run: give one of"),
        (["run=nowhere"], "run: nowhere is not a run's folder"),
        (["sweep=nothing"], "sweep: no sweep 'nothing'"),
        (["run=nowhere", "prot=1"], "prot: unknown; did you mean port"),
        (["run=nowhere", "port=70000"], "port: expected 0 to 65535, found 70000"),
        (["run=nowhere", "port=many"], "port: expected int, found 'many' (str)"),
        (["run=nowhere", "open=perhaps"], "open: expected bool, found 'perhaps' (str)"),
        (["runs=[a,b,c,d,e,f,g]"], "is not a run's folder"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, folder):
    assert message in said(*arguments)


@pytest.mark.slow
def test_an_incomplete_run_is_named(run):
    run.metrics_file.unlink()
    assert f"run: {run.folder} is not complete" in said(str(run.folder))


def test_foreign_code_in_a_config_is_not_called(run, tmp_path):
    config = yaml.safe_load(run.config_file.read_text())
    config["model"]["_target_"] = "os.system"
    run.config_file.write_text(yaml.safe_dump(config))
    assert "os.system" in said(str(run.folder))


def test_a_damaged_checkpoint_is_one_line(run):
    for file in run.folder.rglob("*.ckpt"):
        file.write_bytes(file.read_bytes()[:100])
    assert "is damaged" in said(str(run.folder))


def test_a_run_whose_codes_are_not_finite_is_one_line(run):
    import torch

    from latentlab.models.checkpoint_file import weights_fingerprint

    for file in run.folder.rglob("*.ckpt"):
        checkpoint = torch.load(file, weights_only=False)
        for weight in checkpoint["state_dict"].values():
            weight.fill_(1e30)
        torch.save(checkpoint, file)
    run.write_metrics({**run.metrics, "weights_fingerprint": weights_fingerprint(checkpoint["state_dict"])})
    assert "has codes that are not finite; train it again" in said(str(run.folder))


def test_runs_of_different_images_are_refused(run, train):
    other = train(*TINY, "data.labels=false", "model.latent_dim=2", "data.image_size=12", folder="other")
    message = said(f"runs=[{run.folder},{other.folder}]")
    assert message.endswith(
        "expected runs of the same test images and labels, found different ones; open them one by one"
    )


def test_runs_of_the_same_images_with_and_without_labels_are_refused(run, train):
    other = train(*TINY, "data.labels=false", folder="other")
    assert "expected runs of the same test images and labels" in said(f"runs=[{run.folder},{other.folder}]")


def test_more_than_six_runs_are_refused(run):
    folders = ",".join([str(run.folder)] * 7)
    assert "runs: expected at most 6, found 7" in said(f"runs=[{folders}]")


def test_a_port_that_is_taken_is_one_line(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port: {port} cannot be listened on" in said(str(run.folder), f"port={port}")


def test_of_a_sweep_the_runs_of_the_smallest_seed_are_shown(trained, caplog):
    with caplog.at_level("INFO"):
        found = runs_of(trained)
    assert [Run(folder).config.seed for folder in found] == [0, 0]
    assert "2 of 4 runs" in caplog.text


def test_two_folders_of_one_name_are_told_apart_by_their_parents(tmp_path):
    folders = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "c"]
    assert names(folders) == ["a/run", "b/run", "c"]


@pytest.mark.parametrize(("output", "file"), [("new/page.html", "new/page.html"), ("new", "new/explore.html")])
def test_a_page_without_a_server_is_written_to_a_file_or_into_a_folder(run, tmp_path, output, file):
    done = called("explore", str(run.folder), f"output={output}", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith(file)
    assert (tmp_path / file).read_text().lstrip().startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_one_line(run, tmp_path):
    (tmp_path / "file").touch()
    message = said(str(run.folder), f"output={tmp_path}/file/page.html")
    assert f"output: {tmp_path}/file/page.html cannot be written (File exists)" in message


def test_help_names_every_key():
    text = called("explore", "--help").stdout
    config = yaml.safe_load((config_dir() / "explore.yaml").read_text())
    keys = {"run", "sweep", *config} - {"defaults", "hydra", "paths"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()
