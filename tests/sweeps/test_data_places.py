"""Two data sets of one name in a sweep, and data that was moved."""

import os
from pathlib import Path

import numpy as np
import pytest

from latentlab.errors import UserError
from latentlab.sweeps.data_places import DataPlaces
from tests.sweeps.short_sweeps import JOB, written


def own_data(tmp_path: Path) -> None:
    """Files of one name in two folders: other images in q, the same as in p in r."""
    for folder, seed in (("p", 0), ("q", 1), ("r", 0)):
        (tmp_path / folder).mkdir()
        x = np.random.default_rng(seed).integers(0, 256, (60, 8, 8), np.uint8)
        np.savez(tmp_path / folder / "mine.npz", x=x)


OTHER_DATA = "p/mine.npz and q/mine.npz would count as the same images, as both are named mine"


def test_two_data_sets_of_one_name_are_refused_in_one_sweep(named, tmp_path, capfd):
    """Where the data lies does not count, as it may be moved: the second would be taken for the first."""
    own_data(tmp_path)
    status, folder = named("model=ae", "data=arrays", "data.file=p/mine.npz,q/mine.npz")
    assert status != 0
    assert not folder.exists()
    assert OTHER_DATA in capfd.readouterr().err


def test_a_sweep_takes_no_other_data_of_one_name_later(named, tmp_path, capfd):
    own_data(tmp_path)
    given = ("model=ae", "data=arrays", "net.widths=[8]", "model.latent_dim=2")
    status, folder = named(*given, "data.file=p/mine.npz")
    before = written(folder)
    assert status == 0
    for seed in (0, 1):
        status, _ = named(*given, "data.file=q/mine.npz", f"seed={seed}")
        assert status != 0
        assert OTHER_DATA in capfd.readouterr().err
    for same in ("./p/mine.npz", "r/mine.npz"):
        status, _ = named(*given, f"data.file={same}")
        assert status == 0
    (tmp_path / "p/mine.npz").rename(tmp_path / "mine.npz")
    status, _ = named(*given, "data.file=mine.npz")
    assert status == 0
    assert written(folder) == before


def test_data_that_is_gone_is_replaced_by_the_first_of_its_name(named, tmp_path, capfd):
    own_data(tmp_path)
    given = ("model=ae", "data=arrays", "net.widths=[8]")
    named(*given, "data.file=r/mine.npz")
    (tmp_path / "r" / "mine.npz").unlink()
    status, _ = named(*given, "data.file=p/mine.npz,q/mine.npz")
    assert status == 1
    assert OTHER_DATA in capfd.readouterr().err


def test_a_run_that_was_resumed_elsewhere_still_names_its_data(run_hydra, tmp_path, monkeypatch, capfd):
    own_data(tmp_path)
    given = ["-m", *JOB, "model=ae", "data=arrays", "net.widths=[8]", "sweep.name=first"]
    monkeypatch.chdir(tmp_path / "p")
    assert run_hydra([*given, "data.file=mine.npz"]) == 0
    run = next((tmp_path / "p" / "outputs" / "sweeps" / "first").glob("*/metrics.json")).parent
    monkeypatch.chdir(tmp_path)
    assert run_hydra([f"resume={run}", "trainer.max_epochs=2", "data.file=p/mine.npz"]) == 0
    monkeypatch.chdir(tmp_path / "p")
    assert run_hydra([*given, "data.file=../q/mine.npz", "seed=7"]) == 1
    assert "would count as the same images" in capfd.readouterr().err


def test_each_name_is_compared_with_the_run_that_had_it_first(tmp_path):
    own_data(tmp_path)
    p, q = ({"name": name, "file": f"{tmp_path}/{folder}/mine.npz"} for name, folder in (("b", "p"), ("a", "q")))
    places = DataPlaces(iter([p, q]))
    places.refuse_others(q)  # behind the run of the other name, which is compared too
    with pytest.raises(UserError, match="as both are named b"):
        places.refuse_others({**q, "name": "b"})


def test_where_data_lies_may_change_unless_its_images_do(tmp_path):
    for folder, file in (("a", "x"), ("copy", "x"), ("other", "y")):
        (tmp_path / folder / "class").mkdir(parents=True)
        (tmp_path / folder / "class" / "1.png").write_text(file)
    (tmp_path / "copy" / ".hidden").touch()
    os.mkfifo(tmp_path / "copy" / "class" / "pipe.png")
    (tmp_path / "copy" / "class" / "dangling.png").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("a")
    for name, of in (("linked", "a"), ("linked_other", "other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "class").symlink_to(f"../{of}/class")
    places = DataPlaces([])
    for folder in ("a", "copy", "link", "a/", "linked"):
        places.refuse_others({"name": "mine", "root": f"{tmp_path}/{folder}"})
    places.refuse_others({"name": "theirs", "root": f"{tmp_path}/other"})
    for folder in ("other", "linked_other"):
        with pytest.raises(UserError, match="would count as the same images"):
            places.refuse_others({"name": "mine", "root": f"{tmp_path}/{folder}"})


def test_a_mistyped_place_of_data_is_named(named, tmp_path, capfd):
    """Without it, the job of the other place, which counts as the same, would be left out."""
    own_data(tmp_path)
    for places in ("typo/mine.npz,p/mine.npz", "p/mine.npz,typo/mine.npz"):
        status, folder = named("model=ae", "data=arrays", f"data.file={places}")
        assert status == 1
        assert "data.file: there is nothing at typo/mine.npz" in capfd.readouterr().err
        assert not folder.exists()


def test_a_place_is_relative_to_the_folder_of_its_command(run_hydra, tmp_path, monkeypatch, capfd):
    own_data(tmp_path)
    given = ("-m", *JOB, "model=ae", "data=arrays", "net.widths=[8]", "data.file=mine.npz", "sweep.name=first")
    given += (f"paths.output_dir={tmp_path}/outputs",)
    for folder, expected in (("p", 0), ("q", 1), ("r", 0)):
        monkeypatch.chdir(tmp_path / folder)
        assert run_hydra([*given, "seed=1"]) == expected
    assert f"data.file: {tmp_path}/p/mine.npz and mine.npz would count as the same" in capfd.readouterr().err
