"""A folder of pictures: what in it is taken, and how it is divided."""

import os
import time

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.picture_folders import SIDE, loaded, picture
from tests.data.picture_folders import root as root  # a fixture


def values(images) -> list[int]:
    """Of the first pixel of each image, in order of size."""
    return sorted(images.pixels[:, 0, 0, 0].tolist())


def test_sub_folders_are_classes_in_the_order_of_their_names(root):
    data = loaded(root)
    assert data.class_names == ("cat", "dog")
    assert (data.num_classes, data.image_shape) == (2, (1, SIDE, SIDE))
    for images in (data.train, data.validation, data.test):
        assert torch.equal(images.labels, (images.pixels[:, 0, 0, 0] >= 100).long())


def test_each_split_has_its_share_of_each_class(root):
    data = loaded(root, validation=0.2, test=3)
    assert [len(images.labels) for images in (data.train, data.validation, data.test)] == [21, 6, 3]
    assert [images.labels.sum() for images in (data.train, data.validation, data.test)] == [7, 2, 1]
    together = values(data.train) + values(data.validation) + values(data.test)
    assert sorted(together) == [*range(20), *range(100, 110)]


def test_the_division_depends_on_the_split_seed_alone(root):
    assert loaded(root).fingerprint() == loaded(root, seed=5).fingerprint()
    assert loaded(root).fingerprint() != loaded(root, split_seed=5).fingerprint()


def test_a_flat_folder_has_no_labels(root):
    data = loaded(root / "cat")
    assert (data.num_classes, data.class_names) == (0, ())
    assert set(data.train.labels.tolist()) == {-1}
    assert len(data.showcase(16).x) == 2


@pytest.mark.parametrize("name", ["val", "validation"])
def test_splits_in_the_folder_are_kept(tmp_path, name):
    for split, value in (("train", 1), (name, 2), ("test", 3)):
        for label in ("a", "b"):
            picture(tmp_path / split / label / "x.png", value)
    data = loaded(tmp_path)
    assert [values(images) for images in (data.train, data.validation, data.test)] == [[1, 1], [2, 2], [3, 3]]


def test_a_split_that_is_missing_is_drawn_from_the_training_images(root, tmp_path):
    picture(tmp_path / "split" / "test" / "cat" / "x.png", 200)
    (root).rename(tmp_path / "split" / "train")
    data = loaded(tmp_path / "split", validation=3)
    assert values(data.test) == [200]
    assert len(data.validation.labels) == 3
    assert len(data.train.labels) == 27


def test_what_is_hidden_or_no_picture_is_left_out(root):
    picture(root / "cat" / ".hidden.png", 255)
    picture(root / ".cache" / "x.png", 255)
    picture(root / "__MACOSX" / "x.png", 255)
    (root / "cat" / "Thumbs.db").touch()
    (root / "readme.txt").write_text("pets")
    os.mkfifo(root / "cat" / "pipe.png")  # its reading would wait for a writer
    data = loaded(root)
    assert 255 not in values(data.train) + values(data.validation) + values(data.test)


def test_a_class_may_have_any_other_name(root):
    picture(root / "__bird" / "x.png", 200)
    picture(root / "__bird" / "within" / "__x" / "y.png", 200)
    data = loaded(root, validation=1, test=1)
    assert data.class_names == ("__bird", "cat", "dog")
    assert values(data.train).count(200) >= 1


def test_frames_that_are_left_out_are_warned_of(root, caplog):
    """Not those of a phone's JPEG, which holds a smaller copy of itself."""
    frames = [Image.new("L", (SIDE, SIDE), value) for value in (60, 61, 62)]
    for name, kind in (("cat/a.tiff", "TIFF"), ("cat/b.gif", "GIF"), ("dog/c.jpg", "MPO")):
        frames[0].save(root / name, kind, save_all=True, append_images=frames[1:])
    data = loaded(root)
    found = values(data.train) + values(data.validation) + values(data.test)
    assert [value for value in found if 55 < value < 65] == [60, 60, 60]
    (warning,) = caplog.messages
    assert warning == f"the first frame alone is taken of 2 pictures, such as {root / 'cat' / 'a.tiff'}"


def test_an_empty_folder_is_no_class(root):
    (root / "bird" / "deeper").mkdir(parents=True)
    (root / "bird" / "notes.txt").touch()
    assert loaded(root).class_names == ("cat", "dog")


def test_an_empty_folder_of_another_split_is_no_class(root, tmp_path):
    picture(tmp_path / "split" / "test" / "cat" / "x.png", 200)
    (tmp_path / "split" / "test" / "bird").mkdir()
    root.rename(tmp_path / "split" / "train")
    assert values(loaded(tmp_path / "split").test) == [200]


def test_links_to_folders_are_followed_and_none_leads_round_in_circles(root, tmp_path):
    picture(tmp_path / "elsewhere" / "x.png", 200)
    (root / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    (root / "cat" / "itself").symlink_to(root / "cat")
    data = loaded(root)
    together = values(data.train) + values(data.validation) + values(data.test)
    assert sorted(together) == [*range(20), *range(100, 110), 200]


def test_pictures_are_resized_whole_or_from_the_square_in_the_middle(tmp_path):
    pixels = np.zeros((20, 40), np.uint8)
    pixels[:, 10:30] = 250  # the square in the middle
    tmp_path.joinpath("wide").mkdir()
    for k in range(4):
        Image.fromarray(pixels).save(tmp_path / "wide" / f"{k}.png")
    whole = loaded(tmp_path / "wide", image_size=10, validation=1, test=1).train.pixels[0, 0]
    middle = loaded(tmp_path / "wide", image_size=10, crop=True, validation=1, test=1).train.pixels[0, 0]
    assert (whole[:, 0].max(), whole[:, 5].min()) == (0, 250)
    assert middle.min() == 250


@pytest.mark.parametrize(
    ("mode", "value", "grey", "colour"),
    [
        ("RGB", (255, 0, 0), 76, [255, 0, 0]),  # ITU-R 601: 0.299 of red
        ("RGBA", (255, 255, 255, 0), 0, [0, 0, 0]),
        ("LA", (200, 255), 200, [200, 200, 200]),
        ("1", 1, 255, [255, 255, 255]),
        ("P", 0, 0, [0, 0, 0]),
        ("I;16", 256 * 77, 77, [77, 77, 77]),
    ],
)
def test_every_kind_of_picture_has_grey_levels_and_colours(tmp_path, mode, value, grey, colour):
    for k in range(3):
        picture(tmp_path / "of_a_kind" / f"{k}.png", value, mode=mode)
    arguments = {"validation": 1, "test": 1}
    assert loaded(tmp_path / "of_a_kind", **arguments).train.pixels[0, 0, 0, 0] == grey
    assert loaded(tmp_path / "of_a_kind", channels=3, **arguments).train.pixels[0, :, 0, 0].tolist() == colour


def test_a_photo_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees: the camera's left is at the top
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:, :8] = 255
    (tmp_path / "photos").mkdir()
    for k in range(3):
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{k}.png", exif=exif)
    upright = loaded(tmp_path / "photos", validation=1, test=1).train.pixels[0, 0]
    assert (upright[:8].min(), upright[8:].max()) == (255, 0)


class TestCache:
    @pytest.fixture
    def decodings(self, monkeypatch) -> list[int]:
        """The numbers of pictures that were decoded, one entry for each time."""
        from latentlab.data import folder

        counts, decode = [], folder.decoded
        monkeypatch.setattr(folder, "decoded", lambda names, *how: counts.append(len(names)) or decode(names, *how))
        return counts

    def test_a_folder_is_decoded_once(self, root, tmp_path, decodings):
        prints = {loaded(root, cache=tmp_path / "cache").fingerprint() for _ in range(3)}
        assert decodings == [30]
        assert prints == {loaded(root).fingerprint()}

    def test_it_is_decoded_again_when_a_file_or_the_size_changes(self, root, tmp_path, decodings):
        loaded(root, cache=tmp_path / "cache")
        loaded(root, cache=tmp_path / "cache", image_size=16)
        picture(root / "dog" / "new.png", 110)
        assert 110 in values(loaded(root, cache=tmp_path / "cache", test=1, validation=1).train)
        picture(root / "dog" / "new.png", 120)
        os.utime(root / "dog" / "new.png", (time.time() + 5,) * 2)
        assert 120 in values(loaded(root, cache=tmp_path / "cache", test=1, validation=1).train)
        assert decodings == [30, 30, 31, 31]
        assert len(list((tmp_path / "cache").glob("*.npy"))) == 2

    def test_a_damaged_one_is_replaced(self, root, tmp_path, decodings, caplog):
        expected = loaded(root, cache=tmp_path / "cache").fingerprint()
        (array,) = (tmp_path / "cache").glob("*.npy")
        content = bytearray(array.read_bytes())
        content[-5] ^= 1
        array.write_bytes(content)
        for _ in range(2):
            assert loaded(root, cache=tmp_path / "cache").fingerprint() == expected
        assert decodings == [30, 30]
        assert "is damaged; the pictures are decoded again" in caplog.text

    def test_without_a_place_for_it_the_pictures_are_decoded_all_the_same(self, root, tmp_path, decodings, caplog):
        (tmp_path / "file").touch()
        data = loaded(root, cache=tmp_path / "file")
        assert len(data.train.labels) == 24
        assert "cannot be kept in" in caplog.text
