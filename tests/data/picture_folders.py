"""Folders of small pictures, and what is loaded from them."""

import pytest
from PIL import Image

from latentlab.data.folder import FolderDataModule

SIDE = 8


def picture(file, value=0, size=(SIDE, SIDE), mode="L"):
    """A picture of one value in a new file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(file)


@pytest.fixture
def root(tmp_path):
    """20 cats of the values 0 to 19, and 10 dogs of 100 to 109, in a folder for each."""
    for k in range(20):
        picture(tmp_path / "pets" / "cat" / f"{k}.png", k)
    for k in range(10):
        picture(tmp_path / "pets" / "dog" / f"{k}.png", 100 + k)
    return tmp_path / "pets"


def loaded(root, **arguments) -> FolderDataModule:
    data = FolderDataModule(root, "pets", **arguments)
    data.prepare_data()
    data.setup()
    return data
