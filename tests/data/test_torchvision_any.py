"""Sets of torchvision's by their names: official splits, class names, and one line without the files."""

import pytest
import torch
from PIL import Image
from torchvision import datasets

from latentlab.data.torchvision_any import DATASETS, DOWNLOADS, TorchvisionDataModule
from latentlab.data.torchvision_sets import MNISTDataModule
from latentlab.errors import DataError, MissingData


def loaded(root, dataset, **arguments) -> TorchvisionDataModule:
    data = TorchvisionDataModule(root, dataset, **arguments)
    data.prepare_data()
    data.setup()
    return data


@pytest.mark.long
@pytest.mark.mnist
def test_the_test_images_are_those_of_the_set_s_own_datamodule(mnist_root, tmp_path):
    own = MNISTDataModule(mnist_root)
    own.setup()
    data = loaded(mnist_root, "MNIST", channels=1, validation=5000)
    assert torch.equal(data.test.pixels, own.test.pixels)
    assert torch.equal(data.test.labels, own.test.labels)
    assert [len(data.train.labels), len(data.validation.labels)] == [55_000, 5_000]
    assert data.class_names[:2] == ("0 - zero", "1 - one")


def country(root, counts=(("train", 4), ("valid", 2), ("test", 3))):
    """Country211 in torchvision's layout, of two countries and 10x10 pixels."""
    for split, count in counts:
        for label, colour in (("AD", (200, 0, 0)), ("ZW", (0, 0, 200))):
            folder = root / "country211" / split / label
            folder.mkdir(parents=True)
            for k in range(count):
                Image.new("RGB", (10, 10), colour).save(folder / f"{k}.png")


@pytest.mark.parametrize("cache", [False, True])
def test_three_official_splits_are_kept(tmp_path, cache):
    country(tmp_path)
    for _ in range(2):
        data = loaded(tmp_path, "Country211", cache=tmp_path / "cache" if cache else None)
        assert [len(images.labels) for images in (data.train, data.validation, data.test)] == [8, 4, 6]
        assert (data.class_names, data.image_shape, data.name) == (("AD", "ZW"), (3, 10, 10), "country211")
        assert torch.equal(data.test.labels == 0, data.test.pixels[:, 0, 0, 0] == 200)


def test_of_a_set_without_splits_both_are_drawn(tmp_path):
    for label in ("Forest", "River"):
        folder = tmp_path / "eurosat" / "2750" / label
        folder.mkdir(parents=True)
        for k in range(10):
            Image.new("RGB", (64, 64)).save(folder / f"{k}.jpg")
    data = loaded(tmp_path, "EuroSAT", image_size=16, channels=1)
    assert [len(images.labels) for images in (data.train, data.validation, data.test)] == [16, 2, 2]
    assert data.image_shape == (1, 16, 16)


@pytest.mark.parametrize("dataset", sorted(DATASETS))
def test_torchvision_has_the_set_and_takes_these_arguments(dataset, tmp_path):
    kind = getattr(datasets, dataset)
    for arguments in DATASETS[dataset].values():
        # ours are taken: what is missing are the files, or a package
        with pytest.raises((RuntimeError, OSError, ImportError)):
            kind(str(tmp_path), **arguments, **({"download": False} if dataset in DOWNLOADS else {}))


def test_without_files_and_network_one_line_names_the_set(tmp_path, monkeypatch):
    import socket

    def refused(*_):
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    with pytest.raises(MissingData, match=r"^data\.root: expected SVHN in .*, found none, and downloading failed"):
        loaded(tmp_path, "SVHN")
    with pytest.raises(DataError, match=r"^data\.root: FER2013 cannot be read from"):
        loaded(tmp_path, "FER2013")


def test_an_unknown_set_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"^dataset: unknown, found 'CIFAR1O'; did you mean CIFAR10"):
        TorchvisionDataModule("data", "CIFAR1O")


def test_a_picture_whose_label_was_corrected_is_decoded_again(tmp_path):
    """Torchvision lists pictures by their labels: the same pixels in another order."""
    for label, grey in (("Forest", 0), ("River", 255)):
        folder = tmp_path / "eurosat" / "2750" / label
        folder.mkdir(parents=True)
        for k in range(6):
            Image.new("L", (64, 64), grey).save(folder / f"{label}{k}.png")
    options = {"image_size": 16, "channels": 1, "cache": tmp_path / "cache", "validation": 1, "test": 1}
    loaded(tmp_path, "EuroSAT", **options)
    folder = tmp_path / "eurosat" / "2750"
    (folder / "River" / "River0.png").rename(folder / "Forest" / "River0.png")
    data = loaded(tmp_path, "EuroSAT", **options)
    splits = (data.train, data.validation, data.test)
    wrong = sum(int((images.pixels[:, 0, 0, 0] != 255 * images.labels).sum()) for images in splits)
    assert wrong == 1  # the picture that was moved
