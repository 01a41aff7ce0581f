"""Arrays in a file: every layout and type that is taken, and the line for each thing that is wrong."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from latentlab.data.arrays import ArraysDataModule
from latentlab.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 8, 10), np.uint8)
LABELS = np.arange(30) % 3


def loaded(file, **arguments) -> ArraysDataModule:
    data = ArraysDataModule(file, "own", **arguments)
    data.prepare_data()
    data.setup()
    return data


def everything(data) -> set[bytes]:
    splits = (data.train, data.validation, data.test)
    return {image.numpy().tobytes() for images in splits for image in images.pixels}


LAYOUTS = {
    "bytes": PIXELS,
    "floats": PIXELS / 255,
    "float32": PIXELS.astype(np.float32) / 255,
    "one channel last": PIXELS[..., None],
    "one channel first": PIXELS[:, None],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_grey_images_of_every_layout_and_type_are_the_same_bytes(tmp_path, layout):
    np.savez(tmp_path / "x.npz", x=LAYOUTS[layout], y=LABELS)
    data = loaded(tmp_path / "x.npz")
    assert data.image_shape == (1, 8, 10)
    assert everything(data) == {image.tobytes() for image in PIXELS}
    assert data.class_names == ("0", "1", "2")


def test_colours_last_or_first_are_the_same(tmp_path):
    first = np.random.default_rng(0).integers(0, 256, (30, 3, 8, 10), np.uint8)
    np.save(tmp_path / "first.npy", first)
    np.save(tmp_path / "last.npy", first.transpose(0, 2, 3, 1))
    prints = {loaded(tmp_path / name).fingerprint() for name in ("first.npy", "last.npy")}
    assert len(prints) == 1


def test_bytes_of_0_and_1_alone_are_asked_about(tmp_path):
    np.save(tmp_path / "masks.npy", (PIXELS > 127).astype(np.uint8))
    with pytest.raises(DataError, match="expected bytes of 0 to 255, found 0 and 1 alone; make them booleans"):
        loaded(tmp_path / "masks.npy")


def test_booleans_are_black_and_white(tmp_path):
    np.save(tmp_path / "x.npy", PIXELS > 100)
    data = loaded(tmp_path / "x.npy")
    assert set(data.train.pixels.unique().tolist()) == {0, 255}
    assert (data.num_classes, set(data.train.labels.tolist())) == (0, {-1})


def test_a_safetensors_file(tmp_path):
    save_file({"x": PIXELS, "y": LABELS}, tmp_path / "x.safetensors")
    np.savez(tmp_path / "x.npz", x=PIXELS, y=LABELS)
    assert loaded(tmp_path / "x.safetensors").fingerprint() == loaded(tmp_path / "x.npz").fingerprint()


def test_splits_in_the_file_are_kept(tmp_path):
    """In the names of Keras's mnist.npz."""
    parts = {"x_train": PIXELS[:20], "y_train": LABELS[:20], "x_test": PIXELS[20:], "y_test": LABELS[20:]}
    np.savez_compressed(tmp_path / "x.npz", **parts)
    data = loaded(tmp_path / "x.npz", validation=5)
    assert np.array_equal(data.test.pixels[:, 0].numpy(), PIXELS[20:])
    assert torch.equal(data.test.labels, torch.from_numpy(LABELS[20:]))
    assert [len(data.train.labels), len(data.validation.labels)] == [15, 5]


def test_labels_may_be_names_or_any_numbers(tmp_path):
    np.savez(tmp_path / "x.npz", x=PIXELS, y=np.array(["b", "a", "c"] * 10))
    assert loaded(tmp_path / "x.npz").class_names == ("a", "b", "c")
    np.savez(tmp_path / "x.npz", x=PIXELS, y=LABELS * 10 - 5)
    data = loaded(tmp_path / "x.npz")
    assert data.class_names == ("-5", "5", "15")
    assert set(data.train.labels.tolist()) == {0, 1, 2}


def test_images_are_resized(tmp_path):
    np.save(tmp_path / "x.npy", np.full((10, 200, 100), 77, np.uint8))
    data = loaded(tmp_path / "x.npy", image_size=16)
    assert data.image_shape == (1, 16, 16)
    assert set(data.train.pixels.unique().tolist()) == {77}


def arrays(**changed):
    return {"x": PIXELS, "y": LABELS} | changed


UNFIT = [
    ({"other": LABELS}, r"cannot be read \(expected images named x or x_train, found other\)"),
    (arrays(x_train=PIXELS), r"x_train in .*: expected one array of train images, found also x$"),
    (arrays(y_test=LABELS), r"y_test in .*: expected its images in x_test, found none"),
    (arrays(y=LABELS[:29]), r"y in .*: expected 30 labels, one per image, found 29"),
    (arrays(y=LABELS + 0.5), r"y in .*: expected whole numbers or names, one per image, found float64"),
    (arrays(y=LABELS[:, None]), r"y in .*: expected whole numbers or names, one per image, found int64 of the shape"),
    (arrays(y=LABELS * 0), r"y in .*: expected two classes or more, found 0 alone; leave it out"),
    (arrays(x_test=PIXELS), r"y_test in .*: expected labels of test too, found none"),
    (arrays(x_test=PIXELS, y_test=LABELS + 1), r"y_test in .*: expected the classes of the tr.*, found also 3"),
    (arrays(x=PIXELS * 1.0), r"x in .*: expected floats in \[0, 1\], found 0 to 255; divide them by 255"),
    (arrays(x=PIXELS / 255 - 0.5), r"x in .*: expected floats in \[0, 1\], found -0\.5 to 0\.5"),
    (arrays(x=np.where(PIXELS > 250, np.nan, 0.5)), r"x in .*: expected floats in \[0, 1\], found nan to nan"),
    (arrays(x=PIXELS.astype(int)), r"x in .*: expected bytes \(uint8\), booleans or floats in \[0, 1\], found int64"),
    (arrays(x=PIXELS[0]), r"x in .*: expected \(N, H, W\), \(N, H, W, C\) or .*, found the shape \(8, 10\)"),
    (arrays(x=np.zeros((30, 3, 9, 3), np.uint8)), r"x in .*found the shape .*, which is both of these"),
    (arrays(x=PIXELS[:, :7]), r"x in .*: expected images of 8 to 128 pixels, found 7x10; set data\.image_size"),
    (arrays(x=PIXELS[:0], y=LABELS[:0]), r"y in .*: expected whole numbers or names"),
    (arrays(x_val=PIXELS[:, :, :8], y_val=LABELS), r"expected images of one shape, found .*\(1, 8, 8\)"),
    (arrays(x=np.array([{}] * 3, object)), r"it holds pickled objects, which are refused: save plain arrays"),
]


@pytest.mark.parametrize(("content", "message"), UNFIT, ids=[message[:60] for _, message in UNFIT])
def test_arrays_that_are_no_images_with_labels(tmp_path, content, message):
    np.savez(tmp_path / "x.npz", **content)
    with pytest.raises(DataError, match=rf"^data[^\n]*{message}[^\n]*$"):
        loaded(tmp_path / "x.npz")


class Bomb:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04", b"\x93NUMPY\x01\x00", pickle.dumps(Bomb())])
def test_a_damaged_file_is_one_line_and_nothing_in_it_is_executed(tmp_path, capfd, suffix, content):
    file = tmp_path / f"x{suffix}"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"^data\.file: [^\n]*x\.\w+ cannot be read \([^\n]+\)$"):
        loaded(file)
    assert "executed" not in capfd.readouterr().out


def test_an_archive_that_unpacks_to_more_than_the_memory(tmp_path, monkeypatch):
    import os

    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((1000, 128, 128), np.uint8))
    assert (tmp_path / "x.npz").stat().st_size < 2**16
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4096}[name])
    with pytest.raises(DataError, match="unpacks to 1 GiB, more than half of the memory"):
        loaded(tmp_path / "x.npz")


def test_a_member_that_is_no_array_and_an_archive_by_the_name_of_one_array(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", "text")
    with pytest.raises(DataError, match=r"x\.npz cannot be read \(x is no array\)"):
        loaded(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", x=PIXELS)
    (tmp_path / "y.npz").rename(tmp_path / "y.npy")
    with pytest.raises(DataError, match=r"y\.npy cannot be read \(x is no array\)"):
        loaded(tmp_path / "y.npy")


def test_an_array_whose_header_promises_more_than_the_file_has(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 8, 8), np.uint8))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue().replace(b"(2, 8, 8)", b"(9, 8, 8)"))
    with pytest.raises(DataError, match="cannot be read"):
        loaded(tmp_path / "x.npz")


def test_no_file_and_another_kind_of_file(tmp_path):
    with pytest.raises(DataError, match="expected a file of arrays, found none at"):
        loaded(tmp_path / "x.npz")
    (tmp_path / "x.mat").touch()
    with pytest.raises(DataError, match=r"expected a file \.npz, \.npy or \.safetensors, found .*x\.mat"):
        loaded(tmp_path / "x.mat")


def test_labels_that_are_not_asked_for_are_not_looked_at(tmp_path):
    np.savez(tmp_path / "x.npz", x=PIXELS, y=np.zeros(len(PIXELS)))
    assert loaded(tmp_path / "x.npz", labels=False).class_names == ()
