"""Decoded pictures kept as one array, so that a folder is decoded once."""

import hashlib
import json
import logging
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import Timeout
from jaxtyping import UInt8

from latentlab.data.one_at_a_time import one_at_a_time

log = logging.getLogger(__name__)

LOCK_TIMEOUT = 3600.0  # seconds for another process to decode the same folder
FORMAT = 1


def kept(
    cache: Path | None, name: str, source: str, fingerprint: str, decode: Callable[[], UInt8[np.ndarray, "n c h w"]]
) -> UInt8[np.ndarray, "n c h w"]:
    """The array in the cache, where its fingerprint is still the same; else what `decode` makes, which is then kept.

    One process at a time decodes. A cache that is damaged, or cannot be written, costs a line in the log.

    Args:
        cache: the folder of all kept arrays; None: nothing is kept.
        name: of the array's files, beside a short hash of `source`.
        source: what distinguishes it from all others, such as the folder and the size that it is resized to.
        fingerprint: changes with the content of the source.
        decode: makes the array.
    """
    if cache is None:
        return decode()
    array = cache / f"{name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}.npy"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(array.with_suffix(".lock"), LOCK_TIMEOUT):
            found = _read(array, fingerprint)
            if found is None:
                found = _timed(decode, name)
                _write(array, found, fingerprint)
            return found
    except (OSError, Timeout) as error:  # of the lock
        log.warning("the decoded pictures cannot be kept in %s (%s)", cache, error)
        return _timed(decode, name)


def _timed(decode: Callable[[], UInt8[np.ndarray, "n c h w"]], name: str) -> UInt8[np.ndarray, "n c h w"]:
    started = time.perf_counter()
    log.info("decoding the pictures of %s", name)
    pixels = decode()
    log.info("%s pictures decoded in %.1f s", f"{len(pixels):,}", time.perf_counter() - started)
    return pixels


def _read(array: Path, fingerprint: str) -> UInt8[np.ndarray, "n c h w"] | None:
    try:
        about = json.loads(array.with_suffix(".json").read_text())
        if about["format"] != FORMAT or about["fingerprint"] != fingerprint:
            return None
        pixels = np.load(array, allow_pickle=False)
        if pixels.dtype == np.uint8 and pixels.ndim == 4 and zlib.crc32(pixels.data) == about["crc32"]:
            return np.ascontiguousarray(pixels)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError):
        pass
    log.warning("%s is damaged; the pictures are decoded again", array)
    return None


def _write(array: Path, pixels: UInt8[np.ndarray, "n c h w"], fingerprint: str) -> None:
    about = {"format": FORMAT, "fingerprint": fingerprint, "crc32": zlib.crc32(pixels.data)}
    draft, notes = array.with_suffix(".draft"), array.with_suffix(".json")  # one, as the lock is held
    try:
        with draft.open("wb") as stream:
            np.save(stream, pixels, allow_pickle=False)
        notes.unlink(missing_ok=True)  # of the array before, which is replaced now
        draft.replace(array)
        notes.write_text(json.dumps(about))
    except OSError as error:
        log.warning("the decoded pictures cannot be kept in %s (%s)", array.parent, error)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
