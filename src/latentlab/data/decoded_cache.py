"""Decoded pictures kept as one array in a mapped file: a folder is decoded once, and may exceed the memory."""

import hashlib
import json
import logging
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from filelock import Timeout
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from latentlab.data.images import rows_at_once
from latentlab.data.memory_limit import refuse_too_large
from latentlab.data.one_at_a_time import one_at_a_time

log = logging.getLogger(__name__)

LOCK_TIMEOUT = 3600.0  # seconds for another process to decode the same folder
FORMAT = 1

Decode = Callable[[], Iterator[UInt8[np.ndarray, "c h w"]]]


def kept(
    cache: Path | None, name: str, source: str, fingerprint: str, count: int, decode: Decode
) -> UInt8[Tensor, "n c h w"]:
    """The array in the cache, where its fingerprint is still the same; else what `decode` makes, which is then kept.

    One process at a time decodes. A cache that is damaged, or cannot be written, costs a line in the log. The array
    stays in its file, which is never written to again, but replaced: who reads it meanwhile keeps the one before.

    Args:
        cache: the folder of all kept arrays; None: nothing is kept.
        name: of the array's files, beside a short hash of `source`.
        source: what distinguishes it from all others, such as the folder and the size that it is resized to.
        fingerprint: changes with the content of the source.
        count: the number of pictures.
        decode: makes them, in order.

    Raises:
        DataError: the pictures cannot be kept, and would take more than half of the memory.
    """
    if cache is None:
        return _in_memory(decode, count)
    array = cache / f"{name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}.npy"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(array.with_suffix(".lock"), LOCK_TIMEOUT):
            found = _mapped(array, fingerprint)
            if found is None:
                started = time.perf_counter()
                log.info("decoding the pictures of %s", name)
                _write(array, fingerprint, count, decode)
                log.info("%s pictures decoded in %.1f s", f"{count:,}", time.perf_counter() - started)
                found = _mapped(array, fingerprint)
        if found is not None:
            return found
    except (OSError, Timeout) as error:
        log.warning("the decoded pictures cannot be kept in %s (%s)", cache, error)
    return _in_memory(decode, count)


def _in_memory(decode: Decode, count: int) -> UInt8[Tensor, "n c h w"]:
    pixels = np.empty(0, np.uint8)
    for k, picture in enumerate(decode()):
        if k == 0:
            way_out = "set data.cache=FOLDER on a disk with room for them"
            refuse_too_large(count * picture.nbytes, "data.cache: the decoded pictures take", way_out)
            pixels = np.empty((count, *picture.shape), np.uint8)
        pixels[k] = picture
    return torch.from_numpy(pixels)


def _mapped(array: Path, fingerprint: str) -> UInt8[Tensor, "n c h w"] | None:
    """The array in its file, if it is whole."""
    try:
        about = json.loads(array.with_suffix(".json").read_text())
        if about["format"] != FORMAT or about["fingerprint"] != fingerprint:
            return None
        # not copy-on-write, for which Linux wants as much memory as the file is large
        pixels = np.load(array, mmap_mode="r", allow_pickle=False)
        if pixels.dtype == np.uint8 and pixels.ndim == 4 and _checksum(pixels) == about["crc32"]:
            return from_dlpack(pixels)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError):
        pass
    log.warning("%s is damaged; the pictures are decoded again", array)
    return None


def _checksum(pixels: UInt8[np.ndarray, "n c h w"]) -> int:
    checksum, step = 0, rows_at_once(pixels.shape[1:])
    for begin in range(0, len(pixels), step):
        checksum = zlib.crc32(np.ascontiguousarray(pixels[begin : begin + step]).data, checksum)
    return checksum


def _write(array: Path, fingerprint: str, count: int, decode: Decode) -> None:
    """One picture after the other: a map of a file on a full disk would end the process."""
    draft, notes = array.with_suffix(".draft"), array.with_suffix(".json")  # one, as the lock is held
    checksum = 0
    try:
        with draft.open("wb") as stream:
            for k, picture in enumerate(decode()):
                if k == 0:
                    shape = (count, *picture.shape)
                    _refuse_full_disk(array.parent, count * picture.nbytes)
                    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(stream, header)
                content = picture.tobytes()
                checksum = zlib.crc32(content, checksum)
                stream.write(content)
        notes.unlink(missing_ok=True)  # of the array before, which is replaced now
        draft.replace(array)
        notes.write_text(json.dumps({"format": FORMAT, "fingerprint": fingerprint, "crc32": checksum}))
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _refuse_full_disk(folder: Path, size: int) -> None:
    """Before hours of decoding."""
    if size > (free := shutil.disk_usage(folder).free):
        raise OSError(f"{size / 2**30:.1f} GiB are needed, {free / 2**30:.1f} GiB are free")
