"""Freed memory stays with the process: a step's activations are not returned to the system and requested again."""

import ctypes
import os
import subprocess
import sys

import pytest

MIB = 2**20
# a step's worth of activations (48 MB), made and dropped; prints what glibc still holds of it, in bytes. Page faults
# would measure the cost itself, but some systems do not count them.
STEP = """
import ctypes, torch
{before}
class Held(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]
held = [torch.ones(1_500_000) for _ in range(8)]
del held
mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Held
print(mallinfo2().fordblks)
"""
KEEP = "from latentlab.processes.allocator import keep_freed_memory; keep_freed_memory()"


def held(before: str, **variables: str) -> int:
    free = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", STEP.format(before=before)]
    return int(subprocess.check_output(command, env={**free, **variables}, text=True, timeout=120))


pytestmark = pytest.mark.skipif(
    not (sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")),
    reason="asks glibc 2.33 or newer what it holds",
)


@pytest.mark.slow
def test_a_freed_step_stays_with_the_process():
    assert held("pass") < 24 * MIB
    assert held(KEEP) > 40 * MIB


def test_what_the_user_has_set_stays():
    theirs = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
    assert held(KEEP, **theirs) < 24 * MIB
