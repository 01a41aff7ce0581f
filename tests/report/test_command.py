"""`python -m latentlab report` as a process of its own, also on trained runs."""

import subprocess
import sys

import pytest

from latentlab.commands.report import folders
from tests.report.run_folders import beta_sweep, write_run

SMALL = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=none", "trainer.max_epochs=1"]
WITHOUT_TORCH = """
import sys
from latentlab.__main__ import main
try:
    main()
finally:
    heavy = {"torch", "lightning", "torchvision", "matplotlib", "numpy"} & sys.modules.keys()
    print("heavy", sorted(heavy))
"""


def report(*arguments, cwd):
    command = [sys.executable, "-m", "latentlab", "report", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.slow
def test_a_report_of_trained_runs(train, tmp_path):
    sweep, names = tmp_path / "outputs" / "sweeps" / "mine", []
    for model in ("ae", "vae"):
        for seed in (0, 1):
            run = train(*SMALL, f"model={model}", f"seed={seed}", folder=f"outputs/sweeps/mine/{model}{seed}")
            names.append(sweep / f"model={model},seed={seed}")
            run.folder.rename(names[-1])
    done = report("sweep=mine", "partial_data=true", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "outputs/sweeps/mine/report.html" in done.stdout
    page = (tmp_path / "outputs" / "sweeps" / "mine" / "report.html").read_text()
    assert "4 complete" in page
    assert "data:image/png" in page
    named = ",".join(map(str, names))  # the names contain commas and equal signs
    assert report(f"runs=[{named}]", "output=elsewhere", cwd=tmp_path).returncode == 0
    assert "4 complete" in (tmp_path / "elsewhere" / "report.html").read_text()


@pytest.mark.slow
def test_a_report_of_a_search(run_hydra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = ["optimizer.lr=tag(log, interval(1e-4, 1e-1))", "net.widths=[8],[16]", "likelihood=gaussian"]
    trials = ["hydra/sweeper=optuna", "hydra.sweeper.trials=4", "hydra.sweeper.minimize=[val/mse,parameters]"]
    small = [argument for argument in SMALL if argument != "trainer=smoke"]
    quiet = ["callbacks=no_pictures", "trainer=cpu", "model=ae", "sweep.name=s", "sweep.report=false"]
    assert run_hydra(["-m", *small, *quiet, *trials, *space]) == 0
    done = report("sweep=s", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "outputs" / "sweeps" / "s" / "report.html").read_text()
    assert "4 trials" in page
    assert "parameters against val/mse, 4 trials" in page
    assert "val/mse against " in page
    assert 'href="./000' in page
    assert "lr=" in (tmp_path / "outputs" / "sweeps" / "s" / "report.md").read_text()


def test_a_report_writes_its_four_files_and_nothing_else(tmp_path):
    beta_sweep(tmp_path / "outputs" / "sweeps" / "betas")
    before = everything(tmp_path)
    assert report("sweep=betas", "baseline=beta=1", cwd=tmp_path).returncode == 0
    new = {f"outputs/sweeps/betas/{name}" for name in ("report.html", "report.md", "report.csv", "report_groups.csv")}
    assert set(everything(tmp_path)) - set(before) == new


def test_a_report_does_not_import_slow_packages(tmp_path):
    beta_sweep(tmp_path / "betas")
    command = [sys.executable, "-c", WITHOUT_TORCH, "report", f"sweep={tmp_path / 'betas'}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "heavy []" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: sweep: give either sweep=NAME or runs=[FOLDER,FOLDER]"),
        (["sweep=betas", "runs=[betas]"], "error: sweep: give either"),
        (["sweep=beta"], "error: sweep: no sweep 'beta' in outputs/sweeps, and no such folder; there are betas"),
        (["sweep=empty"], "error: sweep: no runs in empty"),
        (["runs=''"], "error: runs: expected the folder of a run or more, found none"),
        (["runs=[empty]"], "error: runs: empty is not a run's folder"),
        (["sweep=betas", "baseline=gamma=1"], "error: baseline: no group 'gamma=1'; expected one of 'beta=0.5'"),
        (["-m", "sweep=betas"], "error: -m: only `latentlab train` runs sweeps"),
        (["sweep=betas", "outptu=x"], "error: outptu: unknown; did you mean output?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, message):
    beta_sweep(tmp_path / "outputs" / "sweeps" / "betas")
    (tmp_path / "empty").mkdir()
    before = everything(tmp_path)
    done = report(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert everything(tmp_path) == before


def test_folders_are_separated_at_commas_that_are_not_part_of_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a=1,b=2", "a=1,b=3", "c"):
        write_run(tmp_path / name, {"mse": 1.0})
    assert folders("[a=1,b=2,c,a=1,b=3]") == ["a=1,b=2", "c", "a=1,b=3"]
    assert folders("['a=1,b=2',c]") == ["a=1,b=2", "c"]
    assert folders("a*") == ["a=1,b=2", "a=1,b=3"]
    assert folders("[gone,c]") == ["gone", "c"]
