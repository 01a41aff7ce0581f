"""Memory that a step frees is kept for the next one."""

import ctypes
import os
import sys

# of glibc's <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 2**30  # bytes


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks of up to a GiB.

    It would return a convolution's activations to the system and have them zeroed page by page at every step,
    which takes a third of it. Does nothing with another allocator, or where the user has set glibc's own variables.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT)
        mallopt(M_MMAP_THRESHOLD, KEPT)
