"""The picture files in a folder, their classes and their splits."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, final

from PIL import Image

from latentlab.errors import DataError, MissingData

NO_CLASSES = ("__MACOSX", "__pycache__")  # folders that archives and Python leave
SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


@final
class Picture(NamedTuple):
    """A file and the index of its class; -1 in a folder without classes."""

    file: Path
    label: int


@final
class Listing(NamedTuple):
    """The pictures in a folder.

    class_names: the names of its sub-folders that hold pictures; empty without them.
    splits: "train" and, where the folder has them, "validation" and "test".
    """

    root: Path
    class_names: tuple[str, ...]
    splits: Mapping[str, Sequence[Picture]]

    def fingerprint(self) -> str:
        """Changes with the names, sizes and times of the files."""
        digest = hashlib.sha256()
        for file in (picture.file for pictures in self.splits.values() for picture in pictures):
            try:
                status = file.stat()
            except OSError as error:
                raise DataError(
                    f"data.root: {file} cannot be read as a picture ({error.strerror}); delete or replace it"
                ) from error
            digest.update(f"{file.relative_to(self.root)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()


def listed(root: Path) -> Listing:
    """The pictures below a folder in the order of their names; sub-folders are classes.

    `train/`, `validation/` or `val/`, and `test/` in it are splits, in each of which sub-folders are classes. Hidden
    files and folders, `__MACOSX`, and files that are no pictures by their name, are left out.

    Raises:
        DataError: there is no picture, or the sub-folders are neither splits nor classes.
    """
    if not os.path.isdir(root):  # unlike pathlib, false for names that are too long
        raise MissingData(f"data.root: expected a folder of pictures, found none at {root}", "set data.root=FOLDER")
    folders = {path.name: path for path in _folders(root)}
    if "train" not in folders:
        if other := next((name for name in folders if name.lower() == "train"), None):
            raise DataError(f"data.root: expected splits named train, validation and test in {root}, found {other}")
        if folders and folders.keys() <= SPLITS.keys():
            raise DataError(f"data.root: expected train beside {', '.join(sorted(folders))} in {root}, found none")
        folders = {"train": root}
    elif others := sorted(folders.keys() - SPLITS.keys()):
        raise DataError(f"data.root: expected train, validation and test alone in {root}, found also {others[0]}")
    elif {"val", "validation"} <= folders.keys():
        raise DataError(f"data.root: expected one of val and validation in {root}, found both")
    class_names = tuple(path.name for path in _folders(folders["train"]) if _holds_pictures(path))
    splits = {SPLITS[name]: _pictures(folder, class_names) for name, folder in folders.items()}
    if len(class_names) == 1:
        raise DataError(
            f"data.root: expected pictures in {root} or in two and more folders, one per class, found one, "
            f"{class_names[0]}; give that folder itself for pictures without labels"
        )
    return Listing(root, class_names, splits)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_left_out(path.name))


def _pictures(folder: Path, class_names: Sequence[str]) -> list[Picture]:
    unknown = [path.name for path in _folders(folder) if path.name not in class_names and _holds_pictures(path)]
    if unknown:
        raise DataError(f"data.root: expected the classes of train in {folder}, found also {unknown[0]}")
    flat = [*_files(folder, deep=False)]
    found = [Picture(file, k) for k, name in enumerate(class_names) for file in _files(folder / name, deep=True)]
    if flat and class_names:
        raise DataError(
            f"data.root: expected each picture of {folder} in the folder of its class, such as {class_names[0]}, found "
            f"{flat[0].name} in none; move it, or delete it"
        )
    if not flat and not found:
        raise DataError(f"data.root: expected pictures in {folder}, found none")
    return found or [Picture(file, -1) for file in flat]


def _holds_pictures(folder: Path) -> bool:
    return any(True for _ in _files(folder, deep=True))


def _files(folder: Path, deep: bool) -> Iterator[Path]:
    """The pictures in a folder and, where `deep`, in those below it, also those that are links, each folder once."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_refuse_unreadable):
        real = os.path.realpath(place)  # a link may lead back to where it is
        folders[:] = sorted(n for n in folders if deep and real not in seen and not _is_left_out(n))
        if real not in seen:
            kept = sorted(name for name in names if not name.startswith(".") and _suffix(name) in _suffixes())
            yield from (file for name in kept if not (file := Path(place, name)).is_fifo())  # its reading would wait
        seen.add(real)


def _is_left_out(folder: str) -> bool:
    return folder.startswith(".") or folder in NO_CLASSES


def _refuse_unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # a split need not have every class
        raise DataError(f"data.root: {error.filename} cannot be read ({error.strerror})") from error


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


@cache
def _suffixes() -> frozenset[str]:
    """Of all files that Pillow can read."""
    return frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN)
