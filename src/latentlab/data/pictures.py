"""Picture files: which are in a folder, and each as an array of bytes."""

import hashlib
import os
import struct
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from latentlab.data.images import MAX_SIDE, MIN_SIDE
from latentlab.errors import DataError, MissingData

SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
# what Pillow raises for a damaged file, for one too large to be harmless, and for one that cannot be opened
ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError, Warning)


class Picture(NamedTuple):
    """A file and the index of its class; -1 in a folder without classes."""

    file: Path
    label: int


@final
class Listing(NamedTuple):
    """The pictures in a folder.

    class_names: the names of its sub-folders; empty without them.
    splits: "train" and, where the folder has them, "validation" and "test".
    """

    root: Path
    class_names: tuple[str, ...]
    splits: Mapping[str, Sequence[Picture]]

    def fingerprint(self) -> str:
        """Changes with the names, sizes and times of the files."""
        digest = hashlib.sha256()
        for file in (picture.file for pictures in self.splits.values() for picture in pictures):
            status = file.stat()
            digest.update(f"{file.relative_to(self.root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()


def listed(root: Path) -> Listing:
    """The pictures below a folder in the order of their names; sub-folders are classes.

    `train/`, `validation/` or `val/`, and `test/` in it are splits, in each of which sub-folders are classes. Hidden
    files and folders, and files that are no pictures by their name, are left out.

    Raises:
        DataError: there is no picture, or the sub-folders are neither splits nor classes.
    """
    if not root.is_dir():
        raise MissingData(f"data.root: expected a folder of pictures, found none at {root}; set data.root=FOLDER")
    folders = {path.name: path for path in _folders(root)}
    if "train" not in folders:
        if folders and folders.keys() <= SPLITS.keys():
            raise DataError(f"data.root: expected train beside {', '.join(sorted(folders))} in {root}, found none")
        folders = {"train": root}
    elif others := sorted(folders.keys() - SPLITS.keys()):
        raise DataError(f"data.root: expected train, validation and test alone in {root}, found also {others[0]}")
    elif {"val", "validation"} <= folders.keys():
        raise DataError(f"data.root: expected one of val and validation in {root}, found both")
    class_names = tuple(path.name for path in _folders(folders["train"]))
    splits = {SPLITS[name]: _pictures(folder, class_names) for name, folder in folders.items()}
    if len(class_names) == 1:
        raise DataError(
            f"data.root: expected pictures in {root} or in two and more folders, one per class, found one, "
            f"{class_names[0]}; give that folder itself for pictures without labels"
        )
    return Listing(root, class_names, splits)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _pictures(folder: Path, class_names: Sequence[str]) -> list[Picture]:
    unknown = [path.name for path in _folders(folder) if path.name not in class_names]
    if unknown:
        raise DataError(f"data.root: expected the classes of train in {folder}, found also {unknown[0]}")
    flat = _files(folder, deep=False)
    found = [Picture(file, k) for k, name in enumerate(class_names) for file in _files(folder / name, deep=True)]
    if flat and found:
        raise DataError(
            f"data.root: expected each picture of {folder} in the folder of its class, found {flat[0].name} beside "
            f"{class_names[0]}; move it, or delete it"
        )
    if not flat and not found:
        raise DataError(f"data.root: expected pictures in {folder}, found none")
    return found or [Picture(file, -1) for file in flat]


def _files(folder: Path, deep: bool) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if deep and not name.startswith((".", "__")))
        kept = sorted(name for name in names if not name.startswith(".") and _suffix(name) in _suffixes())
        found += [Path(place, name) for name in kept]
    return found


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


@cache
def _suffixes() -> frozenset[str]:
    """Of all files that Pillow can read."""
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def decoded(files: Sequence[Path], image_size: int | None, crop: bool, channels: int) -> UInt8[np.ndarray, "n c h w"]:
    """All pictures as bytes, by as many threads as there are processors.

    Args:
        files: at least one.
        image_size: height and width to which each is resized; None: all have one size.
        crop: whether the square in the middle is cut out before; otherwise the whole picture is stretched.
        channels: 1 for grey levels, 3 for colours. What is transparent is laid on black.

    Raises:
        DataError: a file cannot be read as a picture, or the sizes differ.
    """
    read = partial(_decoded, image_size=image_size, crop=crop, channels=channels)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        first = read(files[0])
        pixels = np.empty((len(files), *first.shape), np.uint8)
        for k, picture in enumerate(pool.map(read, files)):
            if picture.shape != first.shape:
                raise DataError(
                    f"data.image_size: expected pictures of one size, found {_size(first)} ({files[0]}) and "
                    f"{_size(picture)} ({files[k]}); set data.image_size=PIXELS"
                )
            pixels[k] = picture
    return pixels


def _decoded(file: Path, image_size: int | None, crop: bool, channels: int) -> UInt8[np.ndarray, "c h w"]:
    try:
        with Image.open(file) as opened:
            picture = _in_bytes(ImageOps.exif_transpose(opened), "RGB" if channels == 3 else "L")
    except ERRORS as error:
        raise DataError(
            f"data.root: {file} cannot be read as a picture ({error or type(error).__name__}); delete or replace it"
        ) from error
    if image_size is None:
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in picture.size):
            raise DataError(
                f"data.image_size: expected pictures of {MIN_SIDE} to {MAX_SIDE} pixels, found "
                f"{picture.height}x{picture.width} ({file}); set data.image_size=PIXELS"
            )
    else:
        picture = (_square(picture) if crop else picture).resize((image_size, image_size), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _in_bytes(picture: Image.Image, mode: str) -> Image.Image:
    """With one byte per pixel and channel, and without transparency."""
    if picture.mode == "F":
        raise ValueError("its pixels are floats")
    if picture.mode.startswith("I"):  # grey levels of 16 bits
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (0, 0, 0, 255)), picture)
    return picture.convert(mode)


def _size(picture: UInt8[np.ndarray, "c h w"]) -> str:
    return f"{picture.shape[1]}x{picture.shape[2]}"
