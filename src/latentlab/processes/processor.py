"""What the processor can do."""

from pathlib import Path

BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def has_bfloat16() -> bool:
    """Whether it multiplies bfloat16 numbers itself, as far as the operating system tells: Linux does."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(BFLOAT16 & set(flags.split()))
