"""A search: trials are sampled given the results of earlier ones, run as a sweep's jobs, and reported to the study."""

import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, final

from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.trial import FrozenTrial, TrialState

from latentlab.config.quoting import literal
from latentlab.config.schema import check_node
from latentlab.errors import ConfigError, UserError
from latentlab.runs import Run
from latentlab.runs.documents import Damaged
from latentlab.runs.identity import config_hash
from latentlab.runs.layout import WORKERS
from latentlab.runs.lock import held, is_held
from latentlab.sweeps.data_places import DataPlaces
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.manifest import Job, Manifest
from latentlab.sweeps.plan import extended
from latentlab.sweeps.same_experiment import SameExperiment
from latentlab.sweeps.settings import SearchSettings
from latentlab.sweeps.space import SearchSpace, shown, trial_name
from latentlab.sweeps.storage import failures_named
from latentlab.sweeps.study import Study

log = logging.getLogger(__name__)

POLL = 0.5  # seconds between two looks at another process's trial
PATIENCE = 60.0  # seconds for the folder's lock: others hold it only while they sample
SETTINGS = "latentlab.sweeps.settings.SearchSettings"
PRUNING = "latentlab.sweeps.pruning.Pruning"


@final
class Batch(NamedTuple):
    """Trials, each with its job. run_elsewhere: {number of another process's trial: the folder it has in common}."""

    trials: list[tuple[FrozenTrial, Job]]
    run_elsewhere: dict[int, str]


@failures_named()
def run_search(sweep: Sweep) -> None:
    """Run trials until their number is reached, counting those of other processes.

    Trials of processes that have ended are resumed; those that fail are recorded as failed, and the search continues.

    Raises:
        UserError: the settings, the space or the storage, or not one trial was completed.
    """
    settings = _settings(sweep)
    space = SearchSpace.of(sweep.chosen, sweep.loader)
    with _working(sweep.folder) as worker:
        with held(sweep.folder, PATIENCE):
            study, same = Study(sweep.folder, settings, worker), SameExperiment(sweep, space)
            if study.is_spent and not any(same.can_resume(study, trial) for trial in study.orphans()):
                study.begin_anew()
        log.info("search %s: %d of %d trials, in %s", sweep.name, len(study.trials), settings.trials, sweep.folder)
        while (batch := _next_batch(sweep, study, same, space, settings)) is not None:
            waiting = {job.config_hash: (job, _pruning(sweep.folder, trial, settings)) for trial, job in batch.trials}
            study.write_summary()
            _wait_for(batch.run_elsewhere, study)
            sweep.launch([(job, own) for job, own in waiting.values() if not _has_ended(study, sweep, job)])
            for trial, job in batch.trials:
                _report_result(study, trial, sweep, job, settings)
        study.write_summary(study.importance())
    _log_results(study, settings)


def _settings(sweep: Sweep) -> SearchSettings:
    node = DictConfig({**sweep.config.hydra.sweeper, "_target_": SETTINGS})
    check_node("hydra.sweeper", node)
    settings: SearchSettings = instantiate(node, _convert_="all")
    return settings


@contextmanager
def _working(folder: Path) -> Iterator[str]:
    """A name for this process, whose lock shows other processes that its trials are running."""
    worker = f"{os.getpid()}-{secrets.token_hex(4)}"
    own = folder / WORKERS / worker
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, own, ignore_errors=True)
        with held(folder, PATIENCE):  # so that no other process is about to hold a folder of its own
            for other in own.parent.glob("*"):
                if not is_held(other):  # it was killed
                    shutil.rmtree(other, ignore_errors=True)
            stack.enter_context(held(own))
        yield worker


def _next_batch(
    sweep: Sweep, study: Study, same: SameExperiment, space: SearchSpace, settings: SearchSettings
) -> Batch | None:
    """As many trials as the launcher runs at once, each with its job if its config is sound; None at the end."""
    with held(sweep.folder, PATIENCE):
        same.refuse_others(study)
        trials: list[FrozenTrial] = []
        for trial in study.orphans():
            if len(trials) == _at_once(sweep):
                break
            if same.can_resume(study, trial):
                study.adopt(trial)
                trials.append(trial)
            else:
                study.fail(trial, "stopped, and not resumed: the search has other values or settings since")
        while len(trials) < _at_once(sweep) and len(study.trials) < settings.trials:
            trials.append(study.ask(space.distributions))
        if not trials:
            return None
        sound = []
        for trial in trials:
            try:
                sound.append((trial, _job(sweep, space, trial)))
            except ConfigError as error:
                study.fail(trial, str(error))
                if all(other.state == TrialState.FAIL for other in study.trials):
                    raise
        for trial, job in sound:
            study.set_folder(trial, job.folder)
        # while the lock is held: processes wait for trials that were drawn earlier alone, so never for each other
        return Batch(sound, {n: job.folder for _, job in sound for n in study.run_elsewhere(job.folder)})


def _wait_for(elsewhere: Mapping[int, str], study: Study) -> None:
    """Until the other processes have ended these trials, or have themselves ended."""
    for number, folder in elsewhere.items():
        log.info("search: waiting for trial %d of another process, which trains the same config: %s", number, folder)
        while number in study.run_elsewhere(folder):
            time.sleep(POLL)


def _job(sweep: Sweep, space: SearchSpace, trial: FrozenTrial) -> Job:
    """The trial's job, in a folder of its own, or in that of a trial with the same config."""
    overrides = space.overrides(trial.params)
    config = sweep.loader.checked(sweep.config, list(overrides))
    known = Manifest.of(sweep.folder)
    DataPlaces(sweep.trained_data(known.jobs)).refuse_others(config["data"])
    wanted = config_hash(config)
    name = trial_name(trial.number, trial.params)
    if name in {job.folder for job in known.jobs}:  # of a trial that was forgotten
        name = f"{name}_{wanted[:6]}"
    same = known.with_hash(wanted)
    job = Job(same.folder if same else name, overrides, wanted)  # with its overrides as given now: data may have moved
    extended(known, sweep.command, [job]).write(sweep.folder)
    return job


def _at_once(sweep: Sweep) -> int:
    """How many jobs the launcher runs at once."""
    launcher = sweep.config.hydra.launcher
    at_once = launcher.get("n_jobs") or launcher.get("array_parallelism") or 1
    return int(at_once) if at_once > 0 else (os.cpu_count() or 1)


def _pruning(folder: Path, trial: FrozenTrial, settings: SearchSettings) -> tuple[str, ...]:
    """The overrides by which the job may be pruned."""
    if settings.pruning_metric is None:
        return ()
    node: dict[str, Any] = {
        "_target_": PRUNING,
        "folder": literal(str(folder.absolute())),
        "storage": "null" if settings.storage is None else literal(settings.storage),
        "trial": trial.number,
        "figure": settings.pruning_metric,
        "startup_trials": settings.startup_trials,
    }
    return tuple(f"+callbacks.pruning.{key}={value}" for key, value in node.items())


def _has_ended(study: Study, sweep: Sweep, job: Job) -> bool:
    """Whether an earlier trial of the same config already has the result of this one."""
    return not sweep.unfinished([job]) or study.has_ended_in(job.folder)


def _report_result(study: Study, trial: FrozenTrial, sweep: Sweep, job: Job, settings: SearchSettings) -> None:
    run = sweep.run_of(job)
    if not sweep.unfinished([job]):
        study.complete(trial, [_value(run, name) for name in settings.objectives])
    elif run.status["status"] == "pruned":
        study.pruned(trial)
    else:
        study.fail(trial, sweep.reason(job))


def _value(run: Run, name: str) -> float:
    """A metric of a complete run; NaN where it is not finite.

    Raises:
        ConfigError: the run has no such metric.
    """
    content = run.metrics or {}
    costs = {key: value for key, value in content.items() if isinstance(value, int | float)}
    metrics = {**_kept_epoch(run), **costs, **content["metrics"]}
    if name not in metrics:
        raise ConfigError(f"hydra.sweeper: no metric {name!r}; a run has {', '.join(sorted(metrics))}")
    return float("nan") if metrics[name] is None else float(metrics[name])


def _kept_epoch(run: Run) -> dict[str, float]:
    """The metrics of the epoch whose weights are kept: the best by the checkpoint's monitor, without one the last."""
    epochs: dict[float, dict[str, Any]] = {}
    with suppress(Damaged):
        epochs, _ = run.read_history()  # without damaged lines: a line that cannot be read is not the best
    checkpoint = (run.config.get("callbacks") or {}).get("checkpoint") or {}
    monitor = checkpoint.get("monitor") or "epoch"
    best = max if monitor == "epoch" or checkpoint.get("mode") == "max" else min
    measured = [epoch for epoch in epochs.values() if epoch.get(monitor) is not None]
    return best(measured, key=lambda epoch: epoch[monitor], default={})


def _log_results(study: Study, settings: SearchSettings) -> None:
    states = [trial.state for trial in study.trials]
    done = {state.name.lower(): states.count(state) for state in TrialState if state in states}
    log.info("search: %s", ", ".join(f"{count} {state}" for state, count in done.items()))
    if TrialState.RUNNING in states:
        log.info("search: the running trials are those of another process")
    elif TrialState.COMPLETE not in states:
        reasons = sorted({study.reason(trial) for trial in study.trials})
        raise UserError(f"not one trial was completed: {'; '.join(reasons[:3])}")
    for trial in study.best():
        values = "  ".join(f"{name} {v:.5g}" for name, v in zip(settings.objectives, trial.values or (), strict=True))
        log.info("best: %s  %s", values, "  ".join(shown(trial.params)))
