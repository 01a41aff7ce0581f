"""Settings of a process that make its arithmetic faster and change no result."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# of glibc's <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 2**30  # bytes


@contextmanager
def tuned_process() -> Iterator[None]:
    """Within it, freed memory stays with the process, and numbers below 1.2e-38 are zero."""
    keep_freed_memory()
    with flushed_subnormals():
        yield


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


@contextmanager
def flushed_subnormals() -> Iterator[None]:
    """Within it, the processor takes float32 numbers below 1.2e-38, the least normal one, for zero.

    Adam's moments of a weight without a gradient, such as of a dead unit or a pixel that is seldom other than black,
    decay to such numbers and stay there: .9 of the smallest is rounded to itself. Some processors are a hundred times
    as slow with them, and no weight sees them: a step that they lead to is lost in its rounding.

    It holds for this thread, and for those that it starts, as long as they live: PyTorch's, if it has none yet.
    """
    import numpy as np
    import torch

    for kind in (np.float32, np.float64):
        np.finfo(kind)  # looked up by NumPy once; before 2.4 it warns where there are no such numbers
    before = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)  # does nothing on a processor that cannot
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
