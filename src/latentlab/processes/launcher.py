"""The processes of one run that srun or torchrun has started: their number, the rank of this one, their common name.

Read from the environment, as Lightning reads it, and without torch, so that a mistake is reported before its import.
"""

from collections.abc import Mapping
from functools import cache
from os import environ
from typing import Any

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # in Lightning's order
BY_HAND = ("bash", "interactive")  # names of interactive Slurm jobs, in which latentlab starts the processes


def started_by_a_launcher(variables: Mapping[str, str] = environ) -> bool:
    """Whether Slurm or torchrun starts the processes of a run: latentlab then starts none."""
    return "TORCHELASTIC_RUN_ID" in variables or _in_a_slurm_job(variables)


def started(variables: Mapping[str, str] = environ) -> int:
    """How many processes of this run were started together."""
    if "TORCHELASTIC_RUN_ID" in variables:
        return int(variables["WORLD_SIZE"])
    # a batch script has the number of its tasks in SLURM_NTASKS too, but is one process
    return int(variables.get("SLURM_STEP_NUM_TASKS", 1)) if _in_a_slurm_job(variables) else 1


def is_first(variables: Mapping[str, str] = environ) -> bool:
    """Whether this process is the one that writes the run's folder."""
    return int(next((variables[name] for name in RANKS if name in variables), 0)) == 0


def was_requeued(variables: Mapping[str, str] = environ) -> bool:
    """Whether Slurm has started this command before, and put it into the queue again."""
    return _in_a_slurm_job(variables) and int(variables.get("SLURM_RESTART_COUNT", 0)) > 0


def common_name(name: str, variables: Mapping[str, str] = environ) -> str:
    """One name of the run for all its processes, also when Slurm starts it again: `name`, for a single process."""
    if "TORCHELASTIC_RUN_ID" in variables:
        return name if started(variables) == 1 else _first_proposed(name)
    if _in_a_slurm_job(variables) and "SLURM_STEP_ID" in variables:
        return f"slurm_{variables['SLURM_JOB_ID']}_{variables['SLURM_STEP_ID']}"
    return name


def _in_a_slurm_job(variables: Mapping[str, str]) -> bool:
    return "SLURM_NTASKS" in variables and variables.get("SLURM_JOB_NAME") not in BY_HAND


def _first_proposed(name: str) -> str:
    return _store().compare_set("latentlab.run_name", "", name).decode()


@cache  # the first process may be the one that serves it
def _store() -> Any:
    """The key-value store by which the processes of torchrun find each other."""
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://"))
    return store
