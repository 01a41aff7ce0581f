"""What a checkpoint's file holds, read with checks, and the fingerprint of its weights."""

import hashlib
import pickle
import zlib
from collections.abc import Mapping
from os import PathLike
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import Tensor

# what readers of a zip archive and of a pickle raise for damaged bytes
ERRORS = (
    *(BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, LookupError, ValueError),
    *(AttributeError, TypeError, OverflowError),
    pickle.UnpicklingError,
)
DIGITS = 16  # of a fingerprint

Source = str | PathLike[str] | IO[bytes]


def checked_content(source: Source) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; the tensors of a file may be mapped from it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, no checkpoint, or holds weights that are NaN.
    """
    try:
        with ZipFile(source) as archive:  # torch.load compares no checksums
            damaged = archive.testzip()
        if damaged is not None:
            raise BadZipFile(damaged)
        if not (is_file := isinstance(source, str | PathLike)):
            source.seek(0)
        content: dict[str, Any] = torch.load(source, map_location="cpu", weights_only=True, mmap=is_file)
        has_nan = any(_has_nan(weight) for weight in _tensors(content["state_dict"]).values())
    except FileNotFoundError:
        raise
    except ERRORS as error:
        raise ValueError(f"{source}: expected a checkpoint, found a damaged or another file") from error
    if has_nan:
        raise ValueError(f"{source}: expected weights, found NaN among them")
    return content


def checked_device(map_location: Any) -> torch.device:
    """The device that is meant; a model is moved to one as a whole.

    Raises:
        ValueError: it is none, as the functions and mappings of devices that `torch.load` takes.
    """
    try:
        return torch.device(map_location)
    except (TypeError, RuntimeError) as error:
        expected = "a device, such as 'cpu' or 'cuda:0'"
        raise ValueError(f"map_location: expected {expected}, found {map_location!r}") from error


def weights_fingerprint(weights: Mapping[str, Any]) -> str:
    """Equal for the same names and the same bits of all weights."""
    found = hashlib.sha256()
    for name, weight in sorted(_tensors(weights).items()):
        found.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        found.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()[:DIGITS]


def _tensors(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """Without what a module of the user's own adds by `get_extra_state`."""
    return {name: weight for name, weight in weights.items() if isinstance(weight, Tensor)}


def _has_nan(weight: Tensor) -> bool:
    """Infinite numbers are no damage: a mask of attention is a buffer of them."""
    is_narrow = weight.is_floating_point() and weight.itemsize == 1  # for which PyTorch has no `isnan`
    return bool((weight.float() if is_narrow else weight).isnan().any())
