"""The user's own images from the command line: trained, resumed, swept, and a mistake in one line."""

import shutil

import numpy as np
import pytest
from PIL import Image

from latentlab.runs.identity import config_hash
from latentlab.training.restore import load_data, trusted_config

TINY = ("trainer.max_epochs=1", "callbacks=no_pictures", "logger=none", "data.batch_size=16")


@pytest.fixture
def pictures(tmp_path):
    """Sixty colour pictures of 10x12 pixels in the folders of two classes."""
    random = np.random.default_rng(0)
    for label in ("round", "square"):
        folder = tmp_path / "shapes" / label
        folder.mkdir(parents=True)
        for k in range(30):
            Image.fromarray(random.integers(0, 256, (10, 12, 3), np.uint8)).save(folder / f"{k}.png")
    return tmp_path / "shapes"


@pytest.mark.parametrize("net", ["linear", "tied", "mlp", "cnn", "resnet", "rnn"])
def test_a_conditional_model_of_a_folder_in_colour(train, pictures, net):
    small = ["net.widths=[8]"] if net in ("cnn", "resnet", "rnn") else []
    run = train("data=folder", f"data.root={pictures}", "data.channels=3", "model=cvae", f"net={net}", *small, *TINY)
    assert run.metrics["data"] == "shapes"
    assert run.config.data.name == "shapes"
    assert run.metrics["metrics"]["test/mse"] > 0
    assert list((run.folder.parent / "outputs" / "decoded").glob("shapes-*.npy"))


def test_its_pictures_name_the_classes_and_are_in_colour(train, pictures):
    run = train("data=folder", f"data.root={pictures}", "data.channels=3", "model=cvae", TINY[0], "logger=none")
    reconstructions = np.asarray(Image.open(run.folder / "figures" / "reconstructions.png").convert("RGB"), int)
    assert abs(reconstructions[..., 0] - reconstructions[..., 2]).max() > 100


@pytest.mark.slow
def test_two_folders_are_two_experiments_and_a_moved_one_is_the_same(sweep, pictures, train):
    other = pictures.with_name("others")
    shutil.copytree(pictures, other)
    status, runs = sweep("data=folder", f"data.root={pictures},{other}", *TINY)
    assert status == 0
    assert len({config_hash(run.config) for run in runs.values()}) == 2
    run = train("data=folder", f"data.root={pictures}", *TINY)
    (pictures.parent / "moved").mkdir()
    moved = pictures.rename(pictures.parent / "moved" / "shapes")
    train(f"resume={run.folder}", f"data.root={moved}", "trainer.max_epochs=2")
    assert run.metrics["epochs"] == 2


def test_a_file_of_arrays(train, tmp_path):
    images = np.random.default_rng(0).random((60, 8, 8))
    np.savez(tmp_path / "cells.npz", x=images, y=np.array(["a", "b"] * 30))
    run = train("data=arrays", f"data.file={tmp_path}/cells.npz", "model=vae", *TINY)
    assert (run.metrics["data"], run.metrics["status"]) == ("cells", "complete")
    moved = (tmp_path / "cells.npz").rename(tmp_path / "elsewhere.npz")
    assert load_data(run, trusted_config(run), str(moved)).name == "cells"


def test_moved_data_keeps_its_name(train, tmp_path):
    np.savez(tmp_path / "cells.npz", x=np.random.default_rng(0).random((60, 8, 8)))
    run = train("data=arrays", f"data.file={tmp_path}/cells.npz", "model=ae", *TINY)
    moved = (tmp_path / "cells.npz").rename(tmp_path / "elsewhere.npz")
    train(f"resume={run.folder}", f"data.file={moved}", "trainer.max_epochs=2")
    assert (run.metrics["data"], run.metrics["epochs"]) == ("cells", 2)


def test_one_image_of_each_split_is_evaluated(train, tmp_path):
    np.savez(tmp_path / "three.npz", x=np.random.default_rng(0).random((3, 8, 8)))
    sizes = ("data.validation=1", "data.test=1")
    run = train("data=arrays", f"data.file={tmp_path}/three.npz", "model=vae", *sizes, *TINY, "evaluate=full")
    assert run.metrics["metrics"]["test/mse_pca"] > 0


def test_a_run_is_not_resumed_on_other_pictures(train, pictures, capfd):
    run = train("data=folder", f"data.root={pictures}", *TINY)
    shutil.copy(pictures / "round" / "0.png", pictures / "round" / "new.png")
    train(f"resume={run.folder}", "trainer.max_epochs=2", status=1)
    assert "was trained on other images than shapes now has" in capfd.readouterr().err


@pytest.mark.parametrize("sizes", [("data.validation=1", "data.test=1"), ("data.validation=20", "data.test=35")])
def test_measurements_that_need_more_images_are_skipped(train, pictures, sizes):
    run = train("data=folder", f"data.root={pictures}", *sizes, *TINY, "evaluate=quick")
    skipped = run.metrics["evaluation"]["skipped"]
    assert "too few" in skipped["generation and completeness"]
    assert "too few" in skipped["linear, k-NN and k-means probes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data=folder"], "data.root: "),
        (["data=arrays"], "data.file: "),
        (["data=folder", "data.root=nowhere"], "data.root: expected a folder of pictures, found none at nowhere"),
        (["data=arrays", "data.file=x.npz"], "data.file: expected a file of arrays, found none at x.npz"),
        (["data=arrays", f"data.file={'x' * 5000}.npz"], "data.file: "),
        (["data=folder", "data.root=shapes", "data.cache="], "data.cache: expected a folder, or null for none, found "),
        (["data=folder", "data.root=.", "data.image_size=300"], "data.image_size: expected 8 to 128, or null, found 3"),
        (["data=folder", "data.root=shapes/round", "model=cvae"], "model: cvae needs labels, the data has none"),
        (["data=mnist", "data.root=shapes"], "data.root: expected a folder of data sets"),
    ],
)
def test_a_mistake_is_one_line(run_hydra, pictures, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(pictures.parent)
    assert run_hydra([*arguments, *TINY]) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1


def test_a_broken_picture_is_named(run_hydra, pictures, monkeypatch, capfd):
    monkeypatch.chdir(pictures.parent)
    (pictures / "round" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run_hydra(["data=folder", "data.root=shapes", *TINY]) == 1
    assert "round/7.png cannot be read as a picture" in capfd.readouterr().err
