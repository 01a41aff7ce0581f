"""Files of arrays, read without executing anything in them; large ones are mapped into memory where they can be."""

import lzma
import math
import os
import pickle
import struct
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any, Literal
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from latentlab.data.memory_limit import is_large, refuse_too_large
from latentlab.errors import DataError, MissingData, first_line

# of zipfile, its decompressors and NumPy's reader of headers, on a damaged or encrypted file
ERRORS = (
    *(OSError, ValueError, TypeError, EOFError, KeyError, MemoryError, RuntimeError, OverflowError, SyntaxError),
    *(BadZipFile, zlib.error, lzma.LZMAError, struct.error, pickle.UnpicklingError, TokenError),
)
AT_ONCE = 2**22  # bytes
PICKLED = "it holds pickled objects, which are refused: save plain arrays"
WAY_OUT = "save x as .npy, which is read in parts"


def read_arrays(file: Path, keys: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays of these keys that a file holds; that of an `.npy` file is "x".

    Large arrays of an `.npy` file or of an `.npz` file that is not compressed are mapped into memory, read-only: their
    pages are read when they are used, and may be dropped again. Small ones are read whole, as a map ends the process
    where another one overwrites the file.

    Raises:
        DataError: the file is missing or damaged, larger than the memory, or of another kind.
    """
    if not os.path.isfile(file):  # unlike pathlib, false for names that are too long
        raise MissingData(f"data.file: expected a file of arrays, found none at {file}", "set data.file=FILE")
    try:
        match file.suffix:
            case ".npy":
                mode: Literal["r"] | None = "r" if is_large(file.stat().st_size) else None
                return _plain({"x": np.load(file, mmap_mode=mode, allow_pickle=False)})
            case ".npz":
                return _plain(_members(file, keys))
            case ".safetensors":
                refuse_too_large(file.stat().st_size, f"data.file: {file} takes", WAY_OUT)
                arrays = _safetensors(file)
                _refuse_without(keys, arrays)
                return {key: x for key, x in arrays.items() if key in keys}
    except ERRORS as error:
        reason = first_line(error)
        if "allow_pickle" in reason:
            reason = PICKLED
        raise DataError(f"data.file: {file} cannot be read ({reason})") from error
    raise DataError(f"data.file: expected a file .npz, .npy or .safetensors, found {file}")


def _refuse_without(keys: Collection[str], found: Collection[str]) -> None:
    """Raise ValueError where none of the keys is among those found."""
    if not {*keys} & {*found}:
        raise ValueError(f"expected images named x or x_train, found {', '.join(sorted(found)) or 'nothing'}")


def _plain(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays themselves; a member of an archive may be anything."""
    for key, x in arrays.items():
        if not isinstance(x, np.ndarray):
            raise ValueError(f"{key} is no array")
    return dict(arrays)


def _members(file: Path, keys: Collection[str]) -> dict[str, Any]:
    """The members of an `.npz` file with these keys, those mapped that are large and not compressed."""
    with ZipFile(file) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        _refuse_without(keys, members)
        mapped = {key: _mapped(archive, own) for key, own in members.items() if key in keys and _can_be_mapped(own)}
    unpacked = sum(member.file_size for key, member in members.items() if key not in mapped)
    refuse_too_large(unpacked, f"data.file: {file} unpacks to", WAY_OUT)
    with np.load(file, allow_pickle=False) as arrays:
        return mapped | {key: arrays[key] for key in arrays.files if key in keys and key not in mapped}


def _can_be_mapped(member: ZipInfo) -> bool:
    return member.compress_type == ZIP_STORED and is_large(member.file_size)


def _mapped(archive: ZipFile, member: ZipInfo) -> np.ndarray:
    """A member that lies in the archive as an `.npy` file would, after its local header (APPNOTE 4.3.7)."""
    with archive.open(member) as content:  # raises where the headers differ, or the checksum
        while content.read(AT_ONCE):
            pass
    assert archive.filename is not None
    with open(archive.filename, "rb") as stream:
        stream.seek(member.header_offset)
        *_, name, extra = struct.unpack("<26x2H", stream.read(30))
        start = stream.seek(name + extra, 1)
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, dtype = header(stream)
        if dtype.hasobject:
            raise ValueError(PICKLED)
        if stream.tell() - start + math.prod(shape) * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename} is not as long as its header says")
        return np.memmap(stream, dtype, "r", stream.tell(), shape, "F" if in_columns else "C")


def _safetensors(file: Path) -> dict[str, np.ndarray]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ModuleNotFoundError as error:
        raise DataError(f"data.file: {file} needs a package; pip install safetensors") from error
    try:
        return load_file(file)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
