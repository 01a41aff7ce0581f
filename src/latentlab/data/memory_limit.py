"""How much memory there is, and which arrays are too large to be held in it."""

import math
import os
import resource
from pathlib import Path

from latentlab.errors import DataError

LARGE = 0.25  # of the host's memory, above which an array stays in its file, and metrics are of a part of the images
MOST = 0.5  # of it that an array may take
CONTAINER = Path("/sys/fs/cgroup/memory.max")  # in bytes, or "max"


def host_memory() -> int:
    """In bytes: the machine's memory, or what a container, or `ulimit -d`, leaves of it to this process."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    if CONTAINER.is_file() and (given := CONTAINER.read_text().strip()).isdecimal():
        limits.append(int(given))
    if (own := resource.getrlimit(resource.RLIMIT_DATA)[0]) != resource.RLIM_INFINITY:
        limits.append(own)
    return min(limits)


def is_large(nbytes: int) -> bool:
    """Whether so many bytes are too much of the host's memory to be held there in several copies."""
    return nbytes > LARGE * host_memory()


def refuse_too_large(nbytes: int, what: str, way_out: str) -> None:
    """Raise DataError for an array that would take more than half of the host's memory.

    what: the key of the config, and what would take it. way_out: what the user can do.
    """
    if nbytes > MOST * (memory := host_memory()):
        raise DataError(
            f"{what} {math.ceil(nbytes / 2**30)} GiB, more than half of the memory of {memory // 2**30} GiB; {way_out}"
        )
