"""Idx files read with checks: torchvision loads corrupted bytes and missing labels without an error."""

import hashlib
import math
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from latentlab.data.images import Images
from latentlab.errors import DataError

# The four unpacked files of http://yann.lecun.com/exdb/mnist/.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read_images(
    images: Path,
    labels: Path,
    classes: range,
    digests: Mapping[str, str],
    transposed: bool = False,
    counts: tuple[int, ...] = (),
) -> Images:
    """One channel of images and their labels from a pair of idx files, checked.

    The arrays of the last four pairs are cached until the size or time of a file changes: a sweep reads and hashes
    them once. They are shared and must not be modified.

    Args:
        images: the file of pixels.
        labels: the file of labels.
        classes: the labels that may occur; the first is mapped to 0.
        digests: SHA-256 by file name, where it is known. Of other files the header is compared with the file's
            size, and the number of labels with that of images.
        transposed: whether rows and columns are exchanged in the file.
        counts: the numbers of images that the file may have; empty for any.

    Raises:
        DataError: a file is missing, unreadable or damaged, or has another number of images.
    """
    known = digests.get(images.name), digests.get(labels.name)
    return _read_images((images, labels), (_stamp(images), _stamp(labels)), known, classes, transposed, counts)


Stamp = tuple[int, int, int]


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=4)  # two pairs per data set, two data sets
def _read_images(
    files: tuple[Path, Path],
    stamps: tuple[Stamp, Stamp],  # part of the cache's key
    digests: tuple[str | None, str | None],
    classes: range,
    transposed: bool,
    counts: tuple[int, ...],
) -> Images:
    pixels = read_idx(files[0], 3, digests[0])
    if counts and len(pixels) not in counts:
        known = " or ".join(f"{count:,}" for count in counts)
        raise _damaged(files[0], f"{known} images", f"{len(pixels):,}")
    classified = read_idx(files[1], 1, digests[1])
    if len(classified) != len(pixels):
        raise _damaged(files[1], f"{len(pixels):,} labels, one per image", f"{len(classified):,}")
    lowest, highest = int(classified.min()), int(classified.max())
    if lowest not in classes or highest not in classes:
        raise _damaged(files[1], f"labels {classes[0]} to {classes[-1]}", f"{lowest} to {highest}")
    upright = pixels.mT.contiguous() if transposed else pixels
    return Images(upright.unsqueeze(1), classified.long() - classes[0])


def read_idx(path: Path, dimensions: int, sha256: str | None = None) -> UInt8[Tensor, "..."]:
    """The array of bytes in an idx file (format: http://yann.lecun.com/exdb/mnist/).

    Args:
        path: the unpacked file.
        dimensions: of the array: 3 for images, 1 for labels.
        sha256: of the whole file, where it is known.

    Raises:
        DataError: the file is unreadable, or its header, size or hash is not the expected one.
    """
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise _unreadable(path, error) from error
    start = 4 + 4 * dimensions
    magic, header = bytes((0, 0, 8, dimensions)), content[:start].tobytes()
    if header[:4] != magic or len(header) < start:
        found = header[:4].hex() or "an empty file"
        raise _damaged(path, f"an idx file that starts with {magic.hex()}", found)
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = start + math.prod(shape)
    if len(content) != size or 0 in shape:
        raise _damaged(path, f"{size:,} bytes for an array of {shape}", f"{len(content):,} bytes")
    if sha256 is not None and (found := hashlib.sha256(content.data).hexdigest()) != sha256:
        raise _damaged(path, f"SHA-256 {sha256}", found)
    return torch.from_numpy(content[start:].reshape(shape))


def _damaged(path: Path, expected: str, found: str) -> DataError:
    return DataError(f"data.root: {path} is damaged: expected {expected}, found {found}; delete it and run again")


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"data.root: expected a readable file {path}, found {error.strerror}; fix it or set data.root=FOLDER"
    )
