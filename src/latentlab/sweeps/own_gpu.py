"""Jobs that run at once on one machine: each worker process keeps to a GPU of its own, as far as there are so many."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from multiprocessing import current_process

log = logging.getLogger(__name__)

WORKER = re.compile(r"LokyProcess-(\d+)")
VISIBLE = "CUDA_VISIBLE_DEVICES"


def keep_to_own_gpu() -> None:
    """In one of several workers, hide all GPUs but one; to be called before CUDA is started, and again at no cost."""
    worker = current_process().name
    chosen = gpu_of(worker, _visible()) if WORKER.fullmatch(worker) else None
    if chosen is not None:
        os.environ[VISIBLE] = chosen
        log.info("GPU %s is this worker's", chosen)


def gpu_of(worker: str, visible: Sequence[str]) -> str | None:
    """The GPU of joblib's worker `LokyProcess-3`: they take turns; None for any other process, or without a choice."""
    number = WORKER.fullmatch(worker)
    return visible[(int(number[1]) - 1) % len(visible)] if number and len(visible) > 1 else None


def _visible() -> list[str]:
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]
