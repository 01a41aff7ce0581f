"""Damaged files are never loaded; the error names the file, what was expected and what was found."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.data.checksums import MNIST_SHA256, read_idx, read_images
from latentlab.data.images import Images
from latentlab.data.torchvision_sets import MNISTDataModule
from latentlab.errors import DataError
from tests.data import idx_files


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    idx_files.write_set(tmp_path, "train", "test")
    return tmp_path / "raw/test-images-idx3-ubyte", tmp_path / "raw/test-labels-idx1-ubyte"


def digests(*paths: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def read(pair: tuple[Path, Path], known: dict[str, str] | None = None, transposed: bool = False) -> Images:
    return read_images(*pair, range(10), known or {}, transposed)


def test_an_idx_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    idx_files.write_idx(tmp_path / "file", array)
    assert read_idx(tmp_path / "file", 3).tolist() == array.tolist()


def test_images_get_one_channel_and_labels_start_at_zero(pair: tuple[Path, Path]) -> None:
    images = read(pair)
    assert images.pixels.shape == (idx_files.TEST, 1, 4, 6)
    assert images.labels.tolist() == [n % 10 for n in range(idx_files.TEST)]


def test_transposed_images_are_transposed_back(pair: tuple[Path, Path]) -> None:
    assert torch.equal(read(pair, transposed=True).pixels, read(pair).pixels.mT)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (idx_files.truncate, r"[\d,]+ bytes for an array of \(\d+.*\), found [\d,]+ bytes"),
        (idx_files.lengthen, r"[\d,]+ bytes for an array of \(\d+.*\), found [\d,]+ bytes"),
        (idx_files.empty, r"an idx file that starts with 00000(801|803), found an empty file"),
        (idx_files.garble, r"an idx file that starts with 00000(801|803), found 3c68746d"),
        (idx_files.flip_a_byte, r"SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}"),
    ],
)
def test_a_damaged_file_is_named(damage: idx_files.Damage, expected: str, which: int, pair: tuple[Path, Path]) -> None:
    known = digests(*pair)
    read(pair, known)
    damage(pair[which])
    with pytest.raises(DataError) as raised:
        read(pair, known)
    message = str(raised.value)
    assert message.startswith(f"data.root: {pair[which]} is damaged: expected ")
    assert message.endswith("; delete it and run again")
    assert "\n" not in message
    assert raised.match(expected)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (idx_files.shorten_with_a_matching_header, "expected 60 labels, one per image, found 50"),
        (idx_files.exceed_the_classes, "expected labels 0 to 9, found 0 to 200"),
    ],
)
def test_labels_that_do_not_match_the_images_are_detected_without_a_hash(
    damage: idx_files.Damage, expected: str, pair: tuple[Path, Path]
) -> None:
    damage(pair[1])
    with pytest.raises(DataError, match=expected):
        read(pair)


def test_a_file_without_images_is_damaged(tmp_path: Path) -> None:
    idx_files.write_idx(tmp_path / "file", np.zeros((0, 4, 6)))
    with pytest.raises(DataError, match="is damaged"):
        read_idx(tmp_path / "file", 3)


@pytest.mark.parametrize("unreadable", [Path.unlink, lambda path: (path.unlink(), path.mkdir())])
def test_a_file_that_cannot_be_read_is_named(unreadable, pair: tuple[Path, Path]) -> None:  # type: ignore[no-untyped-def]
    unreadable(pair[0])
    with pytest.raises(DataError, match=r"^data\.root: expected a readable file .*test-images"):
        read(pair)


def test_files_are_read_once_until_they_change(pair: tuple[Path, Path]) -> None:
    first = read(pair)
    assert read(pair).pixels.data_ptr() == first.pixels.data_ptr()
    content = pair[0].read_bytes()
    pair[0].write_bytes(content[:16] + bytes(len(content) - 16))
    assert read(pair).pixels.sum() == 0


@pytest.mark.mnist
@pytest.mark.parametrize("name", MNIST_SHA256)
@pytest.mark.parametrize("damage", [idx_files.flip_a_byte, idx_files.truncate, idx_files.garble])
def test_a_damaged_file_of_the_real_mnist_is_named(
    damage: idx_files.Damage, name: str, mnist_root: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for file in MNIST_SHA256:
        if file == name:
            shutil.copy(mnist_root / "MNIST/raw" / file, raw)
        else:
            (raw / file).symlink_to(mnist_root / "MNIST/raw" / file)
    damage(raw / name)
    with pytest.raises(DataError, match=rf"{name} is damaged: expected .* found .*; delete it and run again$"):
        MNISTDataModule(tmp_path).prepare_data()
