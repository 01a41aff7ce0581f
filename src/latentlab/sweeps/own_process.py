"""A sweep's job on several devices runs in a process of its own.

The processes of further devices repeat the command line of the first, which in the sweep's own process is the whole
sweep; and a lost device, which may end the first process as well, ends no more than the job.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.config.quoting import literal
from latentlab.errors import Interrupted, Pruned, UserError
from latentlab.processes.signals import ending
from latentlab.runs import Run

if TYPE_CHECKING:
    from omegaconf import DictConfig

RANK_VARIABLES = ("LOCAL_RANK", "RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED")


def train_in_own_process(config: DictConfig) -> dict[str, Any]:
    """Run the job's own overrides as a single run into the job's folder and read its metrics back.

    Raises:
        UserError: the job failed; its log has the reason.
        Pruned: a search stopped it early.
        Interrupted: SIGINT, SIGTERM or SIGHUP, after the job has ended by it.
    """
    from hydra.core.hydra_config import HydraConfig

    folder = Path(config.paths.run_dir).absolute()
    own = [*HydraConfig.get().overrides.task, f"hydra.run.dir={literal(str(folder))}", "hydra.output_subdir=null"]
    # to resume, the folder is enough: it holds the job's overrides
    arguments = [f"resume={folder}"] if config.resume else own
    command = [sys.executable, "-m", "latentlab", "train", *arguments, "quiet=true"]
    environment = {name: value for name, value in os.environ.items() if name not in RANK_VARIABLES}
    status = _status(command, environment)
    metrics = Run(folder).metrics
    if status == 0 and Run(folder).status["status"] == "pruned":
        raise Pruned(Run(folder).status["reason"])
    if status or metrics is None:
        reason = Run(folder).status["reason"] or f"ended with status {status}"
        raise UserError(f"{reason}; see {folder}/train.log")
    return metrics


def _status(command: list[str], environment: dict[str, str]) -> int:
    """The exit status of a command and its children, to which the signals that end a run are forwarded, once each."""
    # in a process group of its own, else a Ctrl-C would reach it twice
    process = subprocess.Popen(command, env=environment, process_group=0)
    received: list[int] = []

    def forward(number: int, frame: object) -> None:
        received.append(number)
        os.killpg(process.pid, number)

    before = {number: signal.signal(number, forward) for number in ending()}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise Interrupted(received[0])
    return status
