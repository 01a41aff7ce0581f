"""The processor: its name, and what it can do."""

import os
import platform
from pathlib import Path

BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def has_bfloat16() -> bool:
    """Whether it multiplies bfloat16 numbers itself, as far as the operating system tells: Linux does."""
    return bool(BFLOAT16 & {flag for flags in _told("flags") for flag in flags.split()})


def processor() -> str:
    """Its name and the number of its cores."""
    names = _told("model name")
    return f"{(names or [platform.processor() or platform.machine()])[0]}, {len(names) or os.cpu_count()} cores"


def _told(key: str) -> list[str]:
    """What Linux tells of each core under this key."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key]
