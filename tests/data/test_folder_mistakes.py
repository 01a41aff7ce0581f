"""A line for each thing that is wrong with a folder of pictures."""

import errno
import math
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.folder import FolderDataModule
from latentlab.errors import DataError
from tests.data.picture_folders import SIDE, loaded, picture
from tests.data.picture_folders import root as root  # a fixture


def broken(root):
    (root / "cat" / "3.png").write_bytes((root / "cat" / "3.png").read_bytes()[:40])


def a_link_to_nothing(root):
    (root / "cat" / "z.png").symlink_to(root / "nowhere.png")


def of_32_bits(root):
    Image.fromarray(np.full((SIDE, SIDE), 200, np.int32)).save(root / "cat" / "0.tiff")


def of_two_sizes(root):
    picture(root / "dog" / "large.png", size=(9, 9))


def beside_folders(root):
    picture(root / "x.png")


def one_class(root):
    for file in (root / "dog").iterdir():
        file.unlink()
    (root / "dog").rmdir()


def without_train(root):
    (root / "cat").rename(root / "test")
    (root / "dog").rename(root / "val")


def with_other_folders(root):
    (root / "cat").rename(root / "train")


def with_an_unknown_class(root):
    for name in ("cat", "dog"):
        picture(root / "train" / name / "x.png")
    for name in ("cat", "dog"):
        for file in (root / name).iterdir():
            file.unlink()
        (root / name).rmdir()
    picture(root / "test" / "bird" / "x.png")


def with_a_flat_split(root):
    with_an_unknown_class(root)
    (root / "test" / "bird" / "x.png").rename(root / "test" / "x.png")
    (root / "test" / "bird").rmdir()


def with_capitals(root):
    (root / "cat").rename(root / "Train")
    (root / "dog").rename(root / "Test")


def dark_of_16_bits(root):
    Image.fromarray(np.full((8, 8), 255, dtype=np.uint16)).save(root / "cat" / "0.png")


def a_bomb(root):
    Image.new("1", (10_000, 20_000)).save(root / "dog" / "bomb.png")


def too_large(root):
    for file in (*(root / "cat").iterdir(), *(root / "dog").iterdir()):
        picture(file, size=(200, 200))


MISTAKES = [
    (broken, r"cat/3\.png cannot be read as a picture \(.+\); delete or replace it"),
    (a_link_to_nothing, r"z\.png cannot be read as a picture \(No such file or directory\)"),
    (of_32_bits, r"0\.tiff cannot be read as a picture \(its pixels are integers of 32 bits; save it with 8 or 16\)"),
    (
        dark_of_16_bits,
        r"0\.png cannot be read as a picture \(its pixels have 16 bits, of which 255 is the largest; ",
    ),
    (of_two_sizes, r"expected pictures of one size, found 8x8 \(.*0\.png\) and 9x9 \(.*large\.png\); set data\.image"),
    (beside_folders, r"expected each picture of .* in the folder of its class, such as cat, found x\.png in none"),
    (one_class, r"in two and more folders, one per class, found one, cat; give that folder itself"),
    (without_train, r"expected train beside test, val in"),
    (with_other_folders, r"expected train, validation and test alone in .*, found also dog"),
    (with_an_unknown_class, r"expected the classes of train in .*test, found also bird"),
    (
        with_a_flat_split,
        r"expected each picture of .*test in the folder of its class, such as cat, found x\.png in none",
    ),
    (with_capitals, r"expected splits named train, validation and test in .*, found Train"),
    (a_bomb, r"bomb\.png cannot be read as a picture \(.*decompression bomb"),
    (too_large, r"expected pictures of 8 to 128 pixels, found 200x200 \(.*\); set data\.image_size"),
]


@pytest.mark.parametrize(("damage", "message"), MISTAKES, ids=[damage.__name__ for damage, _ in MISTAKES])
def test_a_mistake_is_one_line(root, damage, message):
    damage(root)
    with pytest.raises(DataError, match=rf"^data\.\w+: [^\n]*{message}[^\n]*$"):
        loaded(root, cache=root.parent / "cache")


def test_an_empty_name_is_not_the_folder_one_stands_in():
    with pytest.raises(ValueError, match="root: expected a folder of pictures, found an empty text"):
        FolderDataModule("", "own")


def test_a_class_that_cannot_be_read_is_named(root, monkeypatch):
    """Root may read every folder, so that the error of the system is raised here."""
    scandir = os.scandir

    def refused(place):
        if Path(place) == root / "cat":
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(DataError, match=r"^data\.root: .*cat cannot be read \(Permission denied\)$"):
        loaded(root)


@pytest.mark.parametrize("share", [{"validation": 0.01}, {"test": 30}, {"validation": 20, "test": 10}])
def test_an_empty_split_is_refused(root, share):
    with pytest.raises(DataError, match=r"data\.test=\S+ of 30 images in .* leave none for \w+; expected at least one"):
        loaded(root, **share)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"image_size": 7}, "image_size"),
        ({"channels": 2}, "channels"),
        ({"test": 0}, "test"),
        ({"test": 1.5}, "test"),
        ({"test": 1.0}, "test"),  # one image, or all of them?
        ({"test": math.nan}, "test"),
        ({"validation": math.inf}, "validation"),
    ],
)
def test_a_value_out_of_range_names_its_argument(root, arguments, name):
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        loaded(root, **arguments)


def test_no_folder_and_no_pictures(tmp_path):
    with pytest.raises(DataError, match="expected a folder of pictures, found none at"):
        loaded(tmp_path / "missing")
    with pytest.raises(DataError, match=r"expected pictures in .*, found none"):
        loaded(tmp_path)
