"""Runs as processes of their own: their time and memory, and the result that they print at the end."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Finished:
    """Seconds from start to end, the largest resident set in MiB, and the output."""

    seconds: float
    peak_mib: float
    output: str

    def result(self) -> dict[str, Any]:
        """The last line of the output, which is JSON."""
        found: dict[str, Any] = json.loads(self.output.strip().rpartition("\n")[2])
        return found


def run(
    arguments: Sequence[str], threads: int | None = None, status: int = 0, variables: Mapping[str, str] | None = None
) -> Finished:
    """Run Python with these arguments; RuntimeError with its output if it ends with another status.

    threads: of torch; None: as they are. variables: further ones of the environment.
    """
    limits = {**(variables or {}), **({} if threads is None else dict.fromkeys(THREADS, str(threads)))}
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **limits}, stdout=output, stderr=subprocess.STDOUT
        )
        _, code, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(code)
        output.seek(0)
        text = output.read()
    if process.returncode != status:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {process.returncode}:\n{text[-3000:]}")
    return Finished(seconds, usage.ru_maxrss / 1024, text)


def train(folder: str, *options: str) -> tuple[float, Finished]:
    """Train on MNIST into the folder through the command line; the seconds of training, and the process."""
    whole = run(["-m", "latentlab", "train", f"data.root={mnist_root()}", f"hydra.run.dir={folder}", *options])
    seconds: float = json.loads((Path(folder) / "metrics.json").read_text())["train_seconds"]
    return seconds, whole


def mnist_root() -> str:
    """The folder of MNIST: `LATENTLAB_DATA`, or ./data."""
    root = Path(os.environ.get("LATENTLAB_DATA", "data")).absolute()
    if not (root / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        sys.exit(f"error: no MNIST in {root}; set LATENTLAB_DATA to a folder that holds MNIST/raw")
    return str(root)
