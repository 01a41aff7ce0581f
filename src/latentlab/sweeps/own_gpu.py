"""Jobs that run at once on one machine: each worker process uses a GPU of its own, as far as there are enough."""

import logging
import os
from itertools import count
from multiprocessing import parent_process
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig

from latentlab.runs.layout import WORKERS

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
_kept: list[FileLock] = []  # for the rest of the process


def use_own_gpu() -> None:
    """In one of several workers, hide all GPUs but one; to be called before CUDA is started, and again at no cost."""
    if parent_process() is None or len(visible := _visible()) < 2:
        return
    os.environ[VISIBLE] = visible[lowest_free_number(Path(HydraConfig.get().sweep.dir) / WORKERS) % len(visible)]
    log.info("this worker uses GPU %s", os.environ[VISIBLE])


def lowest_free_number(folder: Path) -> int:
    """A number that no other process has taken in the folder, kept until this process exits, however it does."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count():
        file = folder / f"{number}.lock"
        file.open("a").close()  # where it cannot be made, filelock may call each number taken, without end
        lock = FileLock(file, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        except NotImplementedError:  # a file system without locks: processes that start together have ids in a row
            return os.getpid()
        _kept.append(lock)
        return number
    raise AssertionError("unreachable")


def _visible() -> list[str]:
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]
