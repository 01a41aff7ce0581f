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
        self._new: set[str] = set()  # names that no earlier run has
        self._same: set[tuple[str, str]] = set()  # names with places of the same images, which are not read again

    def refuse_others(self, data: Mapping[str, Any]) -> None:
        """Raise UserError where other images were met under the same name; data sets without one are known by it."""
        if (name := data.get("name")) is None:
            return
        while name not in self._first and (other := next(self._trained, None)) is not None:
            self._first.setdefault(other.get("name") or "", other)
        if name not in self._first:
            self._new.add(name)
        earlier = self._first.setdefault(name, data)
        for key in KEYS:
            first, found = earlier.get(key), data.get(key)
            if not (first and found) or first == found or (name, found) in self._same:
                continue
            if name not in self._new and not os.path.exists(os.path.expanduser(first)):
                self._first[name] = data  # it was moved: what is met next is compared with this
                self._new.add(name)
                continue
            try:
                if missing := next((place for place in (first, found) if not Path(place).expanduser().exists()), None):
                    raise UserError(f"data.{key}: there is nothing at {missing}")
                others = _are_others(Path(first), Path(found))
            except OSError as error:
                raise UserError(f"data.{key}: {error.filename} cannot be read ({error.strerror})") from error
            if others:
                raise UserError(
                    f"data.{key}: {first} and {found} would count as the same images, as both are named {name}; "
                    "rename one of them, or give each a sweep of its own with data.name=NAME"
                )
            self._same.add((name, found))


def _are_others(first: Path, found: Path) -> bool:
    """Whether the second holds other images."""
    first, found = first.expanduser(), found.expanduser()
    if first.samefile(found):
        return False
    names = _files(first)
    return names != _files(found) or any(not filecmp.cmp(first / n, found / n, shallow=False) for n in names)


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
