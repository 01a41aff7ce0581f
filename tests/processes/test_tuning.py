"""What makes a process faster changes no result.

Freed memory stays with it: a step's activations are not returned to the system and requested again. Adam's moments of
weights without a gradient become zero, where subnormal numbers would slow each step.
"""

import ctypes
import os
import subprocess
import sys

import pytest
import torch

from latentlab.processes.tuning import flushed_subnormals

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
KEEP = "from latentlab.processes.tuning import keep_freed_memory; keep_freed_memory()"


def held(before: str, **variables: str) -> int:
    free = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", STEP.format(before=before)]
    return int(subprocess.check_output(command, env={**free, **variables}, text=True, timeout=120))


glibc = pytest.mark.skipif(
    not (sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")),
    reason="asks glibc 2.33 or newer what it holds",
)


@glibc
@pytest.mark.slow
def test_a_freed_step_stays_with_the_process():
    assert held("pass") < 24 * MIB
    assert held(KEEP) > 40 * MIB


@glibc
def test_what_the_user_has_set_stays():
    theirs = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
    assert held(KEEP, **theirs) < 24 * MIB


# ten steps with a gradient, then without one, as of a unit that has died; a process of its own has no threads yet
DEAD_UNIT = """
import torch
from contextlib import nullcontext
from latentlab.processes.tuning import tuned_process
with {context}():
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 64))
    adam = torch.optim.Adam([weight], 1e-3, fused=True)
    for step in range(1200):
        weight.grad = torch.full_like(weight, 0.01 if step < 10 else 0.0)
        adam.step()
bits = adam.state[weight]["exp_avg"].view(torch.int32)
print((bits != 0).sum().item(), weight.detach().view(torch.int32).tolist())
"""


def trained_within(context: str) -> tuple[int, str]:
    """How many of the moments are not zero, and the bits of the weights."""
    command = [sys.executable, "-c", DEAD_UNIT.format(context=context)]
    moments, weights = subprocess.check_output(command, text=True, timeout=120).split(" ", 1)
    return int(moments), weights


@pytest.mark.slow
def test_the_moments_of_a_dead_unit_become_zero_and_its_weights_are_the_same():
    usual, flushed = trained_within("nullcontext"), trained_within("tuned_process")
    assert usual[1] == flushed[1]
    assert usual[0] == 64
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        pytest.skip("PyTorch's kernels without AVX2 keep subnormal numbers")
    assert flushed[0] == 0


def test_subnormals_are_back_after_it_and_after_one_within_another():
    least = sys.float_info.min
    with flushed_subnormals():
        with flushed_subnormals():
            assert least / 2 == 0
        assert least / 2 == 0
    assert least / 2 > 0


LOOKED_UP = """
import numpy
from latentlab.processes.tuning import flushed_subnormals
with flushed_subnormals():
    numpy.finfo("float32"), numpy.finfo("float64")
"""


def test_numpy_does_not_warn_of_it():
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", LOOKED_UP], check=True, timeout=120)
