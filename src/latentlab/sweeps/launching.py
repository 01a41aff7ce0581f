"""What a grid and a search share: the sweep's folder, Hydra's loader and launcher, and how jobs are started."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from latentlab.config.composition import CheckedLoader
from latentlab.config.quoting import literal
from latentlab.errors import UserError
from latentlab.runs import Run
from latentlab.runs.layout import OVERRIDES
from latentlab.runs.provenance import working_directory
from latentlab.runs.resume_state import is_complete
from latentlab.sweeps.data_places import KEYS
from latentlab.sweeps.manifest import Job

log = logging.getLogger(__name__)

SWEEP_KEYS = ("sweep.name=", "sweep.job=")
KILLED = "killed, perhaps out of memory"


@final
@dataclass(frozen=True)
class Sweep:
    """A sweep that is about to start its jobs.

    config: the sweep's own, with `hydra`. given: the overrides of the command line.
    """

    name: str
    folder: Path
    config: DictConfig
    given: tuple[str, ...]
    loader: CheckedLoader
    launcher: Launcher

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line, as a report shows it."""
        of_hydra = [argument for argument in self.config.hydra.overrides.hydra if argument != "hydra.mode=MULTIRUN"]
        return (*of_hydra, *self.given)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The overrides of the jobs: a recipe's own parameters, then those given, which take precedence."""
        own = [f"{key}={value}" for key, value in (self.config.hydra.sweeper.get("params") or {}).items()]
        return (*own, *(argument for argument in self.given if not argument.startswith(SWEEP_KEYS)))

    def run_of(self, job: Job) -> Run:
        return Run(self.folder / job.folder)

    def unfinished(self, jobs: Sequence[Job]) -> list[Job]:
        evaluate = self.config.evaluate
        return [job for job in jobs if not is_complete(self.run_of(job), job.config_hash, evaluate)]

    def trained_data(self, jobs: Sequence[Job]) -> Iterator[Mapping[str, Any]]:
        """The config of the data of each job that was started, with whole paths."""
        for job in jobs:
            run = self.run_of(job)
            with suppress(UserError):
                data = run.config.get("data") or {}
                places = {
                    key: str(working_directory(run) / Path(data[key]).expanduser()) for key in KEYS if data.get(key)
                }
                yield {**data, **places}

    def launch(self, jobs: Sequence[tuple[Job, tuple[str, ...]]]) -> None:
        """Run the jobs, each with overrides of its own; their folders hold their results."""
        waiting = list(jobs)
        while waiting:
            starts = {job.folder: self._last_start(job) for job, _ in waiting}
            try:
                self.launcher.launch([self._arguments(*job) for job in waiting], initial_job_idx=0)
            except Exception as error:
                if isinstance(error, _slurm_errors()):
                    log.warning("Slurm: %s", error)  # its other jobs stay queued or running: none is started twice
                    break
                # a killed worker ends its launcher, and with it jobs of other workers and jobs that were not started
                started = [(job, own) for job, own in waiting if self._last_start(job) != starts[job.folder]]
                if isinstance(error, UserError) or not started:
                    raise
                stopped = [(job, own) for job, own in started if self._was_stopped(job)]
                waiting = [one for one in waiting if one not in started]
                left = len(stopped) + len(waiting)
                log.warning("the launcher stopped (%s); continuing with %d jobs", type(error).__name__, left)
                self._launch_alone(stopped)
            else:
                break

    def _launch_alone(self, jobs: Sequence[tuple[Job, tuple[str, ...]]]) -> None:
        """Run the jobs one after the other: which of them has its worker killed is then known."""
        for job, own in jobs:
            try:
                self.launcher.launch([self._arguments(job, own)], initial_job_idx=0)
            except Exception:
                if not self._was_stopped(job):
                    raise
                log.error("failed: %s: %s", job.folder, KILLED)
                self.run_of(job).write_status("interrupted", KILLED)  # its checkpoints are kept

    def _last_start(self, job: Job) -> int:
        """When Hydra last started the job, in nanoseconds; 0 where it never did."""
        file = self.run_of(job).folder / OVERRIDES
        return file.stat().st_mtime_ns if file.is_file() else 0

    def _was_stopped(self, job: Job) -> bool:
        """Whether the job has neither finished nor recorded why it failed."""
        try:
            return bool(self.unfinished([job])) and self.run_of(job).status["status"] not in ("failed", "pruned")
        except UserError:
            return True

    def reason(self, job: Job) -> str:
        """Why a job is not complete."""
        try:
            status = self.run_of(job).status
        except UserError as error:
            return str(error)
        return status["reason"] or status["status"]

    def _arguments(self, job: Job, own: tuple[str, ...]) -> list[str]:
        folder = [f"{key}={literal(job.folder)}" for key in ("sweep.job", "hydra.sweep.subdir")]
        return [*job.overrides, *own, f"sweep.name={literal(self.name)}", *folder]


def _slurm_errors() -> tuple[type[Exception], ...]:
    """The exceptions of submitit about a job, where it is installed."""
    try:
        from submitit.core.utils import FailedSubmissionError, UncompletedJobError
    except ImportError:
        return ()
    return FailedSubmissionError, UncompletedJobError
