"""Where the images of a sweep's jobs lie: two data sets of one name would be taken for each other."""

import filecmp
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, final

from latentlab.errors import UserError

KEYS = ("file", "root")  # they do not count where two configs are compared, as data may be moved


@final
class DataPlaces:
    """The data that jobs were first composed with, by its name.

    trained: the data of earlier runs, with whole paths, read as far as a name that is met has not been found.
    """

    def __init__(self, trained: Iterable[Mapping[str, Any]]) -> None:
        self._trained = iter(trained)
        self._first: dict[str, Mapping[str, Any]] = {}
        self._same: set[tuple[str, str]] = set()  # names with places of the same images, which are not read again

    def refuse_others(self, data: Mapping[str, Any]) -> None:
        """Raise UserError where other images were met under the same name; data sets without one are known by it."""
        if (name := data.get("name")) is None:
            return
        while name not in self._first and (other := next(self._trained, None)) is not None:
            if all(os.path.exists(other[key]) for key in KEYS if other.get(key)):  # else it was moved
                self._first.setdefault(other.get("name") or "", other)
        earlier = self._first.setdefault(name, data)
        for key in KEYS:
            first, found = earlier.get(key), data.get(key)
            if first is None or found is None or first == found or (name, found) in self._same:
                continue
            if _are_others(key, first, found):
                raise UserError(
                    f"data.{key}: {first} and {found} would count as the same images, as both are named {name}; "
                    "rename one of them, or give each a sweep of its own with data.name=NAME"
                )
            self._same.add((name, found))


def _are_others(key: str, *texts: str) -> bool:
    """Whether two places hold different images.

    Raises:
        UserError: there is nothing at one of them, or it cannot be read.
    """
    first, second = (Path(text).expanduser() for text in texts)
    try:
        for place, text in zip((first, second), texts, strict=True):
            if not place.exists():
                raise UserError(f"data.{key}: there is nothing at {text}")
        if first.samefile(second):
            return False
        names = _files(first)
        return names != _files(second) or any(not filecmp.cmp(first / n, second / n, shallow=False) for n in names)
    except OSError as error:
        raise UserError(f"data.{key}: {error.filename} cannot be read ({error.strerror})") from error


def _files(place: Path) -> set[str]:
    """The files below a folder but for hidden ones, also behind links, each folder once; of a file "." alone."""
    if place.is_file():
        return {"."}
    files, seen = set(), set()
    for folder, folders, names in os.walk(place, followlinks=True):
        real = os.path.realpath(folder)  # a link may lead back to where it is
        folders[:] = [name for name in folders if real not in seen and not name.startswith(".")]
        seen.add(real)
        files |= {
            os.path.relpath(file, place)
            for name in names
            if not name.startswith(".") and os.path.isfile(file := f"{folder}/{name}")  # no pipe, no link to nothing
        }
    return files
