"""Freed memory stays with the process: a page is asked of the system once, not at every step."""

import os
import subprocess
import sys

import pytest

# a step's worth of activations, made and dropped a hundred times; prints the pages that were asked for
STEPS = """
import resource, torch
{before}
for step in range(110):
    if step == 10:
        first = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.ones(1_500_000) for _ in range(8)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - first)
"""
KEEP = "from latentlab.allocator import keep_freed_memory; keep_freed_memory()"


def pages(before: str, **variables: str) -> int:
    free = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", STEPS.format(before=before)]
    return int(subprocess.check_output(command, env={**free, **variables}, text=True, timeout=120))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc alone")
def test_steps_ask_the_system_for_no_page_twice():
    assert pages(KEEP) < pages("pass") / 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc alone")
def test_what_the_user_has_set_stays():
    theirs = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
    assert pages(KEEP, **theirs) > pages("pass") / 2
