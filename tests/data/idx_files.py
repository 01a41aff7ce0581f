"""Small data sets in the idx format, and ways to damage their files."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

TRAIN, TEST = 5100, 60


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_set(
    folder: Path, train: str, test: str, first_label: int = 0, counts: tuple[int, int] = (TRAIN, TEST)
) -> None:
    """Random 4x6 images of ten classes: `folder/raw/{train,test}-images-idx3-ubyte` and their labels."""
    generator = np.random.default_rng(0)
    for prefix, count in zip((train, test), counts, strict=True):
        write_idx(folder / f"raw/{prefix}-images-idx3-ubyte", generator.integers(0, 256, (count, 4, 6)))
        write_idx(folder / f"raw/{prefix}-labels-idx1-ubyte", np.arange(count) % 10 + first_label)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(b"<html>404 Not Found</html>" * 10)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def shorten_with_a_matching_header(path: Path) -> None:
    """Labels for half the images."""
    write_idx(path, np.frombuffer(path.read_bytes()[8:], dtype=np.uint8)[:50])


def exceed_the_classes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20] = 200
    path.write_bytes(content)


Damage = Callable[[Path], None]
