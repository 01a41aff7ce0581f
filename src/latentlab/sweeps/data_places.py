"""Where the images of a sweep's jobs lie: two data sets of one name would be taken for each other."""

import filecmp
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, final

from latentlab.errors import UserError

KEYS = ("file", "root")  # they do not count where two configs are compared, as data may be moved


@final
class DataPlaces:
    """The data that jobs were first composed with, by its name.

    trained: the data of earlier runs, read only where a name is met for the first time.
    """

    def __init__(self, trained: Iterable[Mapping[str, Any]]) -> None:
        self._trained = trained
        self._first: dict[str, Mapping[str, Any]] = {}

    def refuse_others(self, data: Mapping[str, Any]) -> None:
        """Raise UserError where other images were met under the same name; data sets without one are known by it."""
        if (name := data.get("name")) is None:
            return
        if name not in self._first:
            self._first[name] = next((other for other in self._trained if other.get("name") == name), data)
        for key in KEYS:
            first, found = self._first[name].get(key), data.get(key)
            if first and found and first != found and _are_others(Path(first), Path(found)):
                raise UserError(
                    f"data.{key}: {first} and {found} would count as the same images, as both are named {name}; "
                    "rename one of them, or give each a sweep of its own with data.name=NAME"
                )


def _are_others(first: Path, found: Path) -> bool:
    """Whether the second holds other images; if the first is gone, they were moved."""
    if not first.exists():
        return False
    if not found.exists():
        return True
    if first.samefile(found):
        return False
    if first.is_file() and found.is_file():
        return not filecmp.cmp(first, found, shallow=False)
    return _sizes(first) != _sizes(found)


def _sizes(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
