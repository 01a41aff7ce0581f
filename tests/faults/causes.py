"""What causes the faults: a disk of a few MiB, a kill at a chosen moment, a clock that is wrong."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer

from latentlab.commands.job import job
from latentlab.config import run_hydra
from latentlab.runs import Run

# a run of a second or two, whose checkpoints have about 200 KiB
RUN = [
    *("data=digits", "data.image_size=8", "net.widths=[32]", "trainer=cpu", "trainer.max_epochs=3"),
    *("callbacks=no_pictures", "sweep.report=false"),
]
BALLAST = "ballast"


def done_here(folder: Path, *arguments: str) -> dict[str, Any]:
    """What a run in this process, in that folder, leaves as its metrics."""
    assert run_hydra(job, "train", [*arguments, f"paths.output_dir={folder}", f"hydra.run.dir={folder}/run"]) == 0
    return Run(folder / "run").metrics or {}


@contextmanager
def mounted(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of that size in memory."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    folder.mkdir()
    size = f"size={mebibytes}m"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, left: int = 0) -> None:
    """To the last byte but `left`."""
    with (disk / BALLAST).open("ab", buffering=0) as stream:
        for size in (2**16, 1):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError:
                pass
        stream.truncate(max(0, stream.tell() - left))


def free(disk: Path) -> None:
    (disk / BALLAST).unlink()


class FillDisk(Callback):
    """Fills a disk once, before the checkpoints of the second epoch or after the test."""

    def __init__(self, disk: str, moment: str, left: int = 0) -> None:
        self._disk, self._moment, self._left = Path(disk), moment, left

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._moment == "checkpoint" and trainer.current_epoch == 1:
            self._fill()

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._moment == "metrics":
            self._fill()

    def _fill(self) -> None:
        once = self._disk.with_suffix(".filled")
        if not once.exists():
            once.touch()
            fill(self._disk, self._left)


class KillWorker(Callback):
    """Ends the process as the operating system does that has no memory left, at the first epoch of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.datamodule.seed == self._seed:
            os.kill(os.getpid(), signal.SIGKILL)


class DeleteFolder(Callback):
    """Deletes the run's folder in the middle of the first epoch."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch == 0:
            shutil.rmtree(Path(trainer.checkpoint_callback.dirpath).parent)


def filling(disk: Path, moment: str, left: int = 0) -> list[str]:
    node = {"_target_": "tests.faults.causes.FillDisk", "disk": str(disk), "moment": moment, "left": left}
    return [f"+callbacks.fill.{key}={value}" for key, value in node.items()]
