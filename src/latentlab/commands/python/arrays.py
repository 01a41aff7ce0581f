"""The user's own arrays of images, for `train`."""

from __future__ import annotations

import io
import zlib
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from latentlab.config.quoting import literal
from latentlab.errors import DataError
from latentlab.runs.files import is_name, write_atomically


@final
@dataclass(frozen=True, eq=False)
class ArrayData:
    """Images and their labels, NumPy arrays or tensors; all but `x` may be missing.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W): bytes, booleans, or floats in [0, 1], which are rounded to
    bytes. Labels are whole numbers or names, (N,). Splits that are missing are drawn from `x`.

    name: of the data, in pictures and reports.
    """

    x: Any
    y: Any = None
    _: KW_ONLY
    x_validation: Any = None
    y_validation: Any = None
    x_test: Any = None
    y_test: Any = None
    name: str = "arrays"

    def packed(self, folder: Path) -> PackedArrays:
        """The arrays as the content of a file in the folder, which is not written yet.

        Raises:
            DataError: a value is no array, or one of objects, or the name is that of no file.
        """
        if not isinstance(self.name, str):
            raise DataError(f"name: expected a text, found {self.name!r}")
        if not is_name(self.name):
            raise DataError(f"name: expected the name of a file, without / and $, found {self.name[:60]!r}")
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "name"}
        arrays = {key: _array(key, value) for key, value in given.items() if value is not None}
        if objects := [key for key, array in arrays.items() if array.dtype == object]:
            raise DataError(
                f"{objects[0]}: expected an array of numbers, or of names, found one of objects; convert it by astype"
            )
        stream = io.BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # no key is that of another argument
        content = stream.getbuffer()
        return PackedArrays(folder / f"{self.name}-{zlib.crc32(content):08x}.npz", self.name, content)


@final
class PackedArrays(NamedTuple):
    """A file of arrays, named by its content: a run is resumed and evaluated with it.

    name: of the data.
    """

    file: Path
    name: str
    content: memoryview

    @property
    def overrides(self) -> list[str]:
        """Those that select it."""
        return ["data=arrays", f"data.file={literal(str(self.file))}", f"data.name={literal(self.name)}"]

    def write(self) -> bool:
        """Write it unless it is there; whether it was written."""
        if self.file.is_file():
            return False
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.file, self.content)
        return True


def _array(key: str, value: Any) -> np.ndarray:
    """Of a tensor on any device, a list, or a column of names."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if value.is_floating_point() else value
        array = np.asarray(value)
    except (ValueError, TypeError) as error:  # of lists of several lengths, and of sparse tensors
        raise DataError(
            f"{key}: expected an array or a dense tensor, found {type(value).__name__} ({error})"
        ) from error
    is_names = array.dtype == object and all(isinstance(name, str) for name in array.flat)
    return array.astype(str) if is_names else array
