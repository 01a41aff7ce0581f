"""What an offline run of W&B left on the disk, and the pixels of its pictures."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.image import imread


def read_back(offline_run: Path) -> dict:
    """What a folder `offline-run-*` holds, read by W&B's own tool."""
    (file,) = offline_run.glob("run-*.wandb")
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--summary", "--json", file]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def pixels_of(png: bytes) -> np.ndarray:
    """(H, W, 3) bytes; matplotlib reads a PNG as floats in [0, 1]."""
    return (imread(BytesIO(png), format="png")[..., :3] * 255).round().astype(np.uint8)


def records(offline_run: Path) -> list[dict]:
    """The records of a folder `offline-run-*` in their order, as W&B's own tool reads them."""
    (file,) = offline_run.glob("run-*.wandb")
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--json", file]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in printed.splitlines()]
