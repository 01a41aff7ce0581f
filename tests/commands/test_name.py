"""`name=NAME`: the folder of a single run."""

import json
import re

import pytest

from latentlab.commands.train import main
from latentlab.runs import Run

TINY = ("data=digits", "data.image_size=8", "trainer=smoke", "callbacks=no_pictures", "logger=none")


@pytest.mark.parametrize("name", ["first", "007", "a b=c", "[x]", "true"])
def test_a_run_is_in_the_folder_of_its_name_whatever_it_looks_like(folder, name):
    assert main([*TINY, f"name={name}"]) == 0
    assert [path.name for path in (folder / "outputs" / "runs").iterdir()] == [name]


def test_without_a_name_the_folder_carries_time_variant_and_data(folder):
    assert main([*TINY, "model=ae"]) == 0
    (path,) = (folder / "outputs" / "runs").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_ae_digits_[0-9a-f]{4}", path.name)


def test_a_name_is_taken_once_and_the_run_in_it_stays_as_it_was(folder, capfd):
    assert main([*TINY, "name=first", "model=ae"]) == 0
    before = (folder / "outputs/runs/first/.hydra/overrides.yaml").read_text()
    assert main([*TINY, "name=first", "model=vae"]) == 1
    expected = "error: name: outputs/runs/first holds a run already (status: complete); continue it by resume="
    assert capfd.readouterr().err.startswith(expected)
    assert (folder / "outputs/runs/first/.hydra/overrides.yaml").read_text() == before
    assert main(["resume=outputs/runs/first", "trainer.max_epochs=2"]) == 0
    assert json.loads((folder / "outputs/runs/first/metrics.json").read_text())["epochs"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["name=a/b"], "name: expected the name of a folder, without / and $, found 'a/b'"),
        (["name=.."], "name: expected the name of a folder"),
        (["-m", "name=x", "seed=1,2"], "name: it names a single run; a sweep is named by sweep.name=NAME"),
    ],
)
def test_a_mistake_is_one_line(folder, capfd, arguments, message):
    assert main([*TINY, *arguments]) == 1
    assert capfd.readouterr().err.startswith(f"error: {message}")
    assert not (folder / "outputs").exists()


@pytest.mark.parametrize("name", ["first", "a..b"])
def test_a_resumed_run_keeps_its_name(folder, capfd, name):
    assert main([*TINY, f"name={name}"]) == 0
    assert main([f"resume=outputs/runs/{name}"]) == 0
    assert main([f"resume=outputs/runs/{name}", "name=second"]) == 1
    assert capfd.readouterr().err.startswith("error: name: the run to resume keeps its name")


def test_the_name_of_a_failed_run_is_free_once_its_folder_is_deleted(folder, capfd):
    run = Run(folder / "outputs/runs/first")
    run.folder.mkdir(parents=True)
    run.write_status("failed", "DataError: no images")
    assert main([*TINY, "name=first", "model=ae"]) == 1
    assert "holds a run already (status: failed); delete it, or choose another name" in capfd.readouterr().err
