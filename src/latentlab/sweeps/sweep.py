"""Run a sweep: skip what is complete, go on with what was stopped, repeat what failed, start what is new."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

from latentlab.cli.composition import CheckedLoader
from latentlab.errors import UserError
from latentlab.lock import held
from latentlab.runs import Run
from latentlab.signals import interruptible
from latentlab.standing import is_complete
from latentlab.sweeps.manifest import Job, Manifest
from latentlab.sweeps.names import checked_sweep_name, joined
from latentlab.sweeps.plan import combinations, extended, hashed, in_folders

log = logging.getLogger(__name__)

MOST_TOLD = 5  # failed jobs, in the last line


def sweep(hydra: Hydra, loader: CheckedLoader, job: TaskFunction, config_name: str, arguments: list[str]) -> None:
    """All combinations of the arguments as jobs of one folder, by Hydra's launcher.

    Raises:
        UserError: the command line, the folder, or some of the jobs, after all of them have had their turn.
        Interrupted: SIGINT or SIGTERM.
    """
    with interruptible():
        config = hydra.compose_config(config_name, arguments, RunMode.MULTIRUN, with_log_configuration=True)
        given = list(config.hydra.overrides.task)
        folder = Path(config.hydra.sweep.dir)
        name = joined([folder.name]) if config.sweep.name is None else checked_sweep_name(config.sweep.name)
        jobs = hashed(config, combinations(config, given, loader), loader, Manifest.of(folder))
        callbacks = Callbacks(config)
        callbacks.on_multirun_start(config=config, config_name=config_name)
        context = HydraContext(config_loader=loader, callbacks=callbacks)
        launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=job, config=config)
        with held(folder):
            known = Manifest.of(folder)
            plan = in_folders(jobs, known)
            extended(known, given, plan).write(folder)
            _run(launcher, folder, name, plan, config)
        callbacks.on_multirun_end(config=config, config_name=config_name)


def _run(launcher: Launcher, folder: Path, name: str, plan: Sequence[Job], config: DictConfig) -> None:
    waiting = _unfinished(folder, plan, config)
    done = len(plan) - len(waiting)
    log.info("sweep %s: %d jobs, %d of them complete, in %s", name, len(plan), done, folder)
    while waiting:
        try:
            launcher.launch([_arguments(name, job) for job in waiting], initial_job_idx=0)
        except Exception as error:
            # a worker that was killed takes its launcher with it, not the jobs that had no part in it
            left = _unfinished(folder, waiting, config)
            if isinstance(error, UserError) or len(left) == len(waiting):
                raise
            log.warning("the launcher stopped (%s); going on with %d jobs", type(error).__name__, len(left))
            waiting = left
        else:
            break
    _tell(folder, _unfinished(folder, plan, config), len(plan))


def _unfinished(folder: Path, jobs: Sequence[Job], config: DictConfig) -> list[Job]:
    return [job for job in jobs if not is_complete(Run(folder / job.folder), job.config_hash, config.evaluate)]


def _arguments(name: str, job: Job) -> list[str]:
    place = [f"{key}='{job.folder}'" for key in ("sweep.job", "hydra.sweep.subdir")]
    return [*job.overrides, f"sweep.name='{name}'", *place]


def _tell(folder: Path, failed: Sequence[Job], jobs: int) -> None:
    if not failed:
        return
    reasons = [f"{job.folder} ({_reason(Run(folder / job.folder))})" for job in failed[:MOST_TOLD]]
    more = f" and {len(failed) - MOST_TOLD} more" if len(failed) > MOST_TOLD else ""
    raise UserError(
        f"{len(failed)} of {jobs} jobs failed: {'; '.join(reasons)}{more}; the same command with "
        f"sweep.name={folder.name} repeats them and skips the others"
    )


def _reason(run: Run) -> str:
    try:
        status = run.status
    except UserError as error:
        return str(error)
    return status["reason"] or status["status"]
