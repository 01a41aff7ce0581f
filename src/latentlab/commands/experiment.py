"""The life cycle of one run: start it, train and test it, evaluate it, and record how it ended."""

import logging
import os
import shlex
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import ParallelStrategy
from omegaconf import DictConfig

from latentlab.commands.own_classes import OwnClassError, error_of_own_class
from latentlab.config.quoting import literal
from latentlab.errors import Interrupted, Pruned, RankLost, UserError
from latentlab.processes.launcher import is_first
from latentlab.processes.ranks import Ranks, watched
from latentlab.processes.signals import interruptible
from latentlab.processes.thread_errors import disk_errors_in_a_line
from latentlab.runs import Run
from latentlab.runs.layout import EVALUATION, EXPORT
from latentlab.runs.lock import held
from latentlab.runs.provenance import working_directory
from latentlab.runs.resume_state import (
    finished,
    has_later_epochs,
    is_evaluated,
    is_marked_complete,
    readable_metrics,
)
from latentlab.sweeps.data_places import KEYS
from latentlab.training.continuing import refuse_lost_checkpoint
from latentlab.training.fit import fit_and_test, is_single
from latentlab.training.restore import reopened_loggers
from latentlab.training.summary import ending
from latentlab.training.wandb_logger import finish_wandb

log = logging.getLogger(__name__)


def train(config: DictConfig, *, quiet: bool) -> dict[str, Any]:
    """Fit, test and record one run; returns what `metrics.json` holds.

    Raises:
        UserError: the config, the data or the folder cannot serve, or the objective became NaN or infinite.
        Interrupted: SIGINT or SIGTERM; while it trains, after a checkpoint was saved.
        Pruned: a search stopped it early.
    """
    run = Run(config.paths.run_dir)
    with held(run.folder) if is_first() else nullcontext():
        if is_first():
            run.remove_drafts()
        metrics = finished(run, config)
        if metrics is not None and is_first() and not (is_marked_complete(run) or has_later_epochs(run)):
            run.write_status("complete")  # its process was killed before it could
        if metrics is not None and is_evaluated(metrics, config.evaluate):
            return metrics
        return _train(run, config, metrics, quiet)


def _train(run: Run, config: DictConfig, metrics: dict[str, Any] | None, quiet: bool) -> dict[str, Any]:
    """metrics: those of a finished training, which is not repeated."""
    if metrics is None:
        _start(run, config)
    before = (readable_metrics(run) or {}) if metrics is None else {}
    loggers, exit_code = None, 1
    try:
        watch = watched(_how_to_resume(run), partial(_record_failure, run))
        with interruptible(), disk_errors_in_a_line(), watch as ranks:
            if metrics is None:
                metrics, loggers = fit_and_test(run, config, quiet, partial(_start_ranks, ranks, run))
                if before and is_first():
                    _drop_what_was_of(before, run)
            _end_group()
            if config.evaluate != "none" and is_first():
                from latentlab.evaluation.evaluate_run import evaluate_run  # scikit-learn among others: seconds

                opened = reopened_loggers(run, config) if loggers is None else nullcontext(loggers)
                metrics = evaluate_run(run, config, config.evaluate, config.paths.output_dir, opened, quiet=quiet)
        exit_code = 0
        if is_single(config) and is_first():
            log.info("%s", ending(run, is_evaluated=config.evaluate != "none"))
    except BaseException as error:
        own = error_of_own_class(error)
        cause = own or _disk_error(error, run.folder) or error
        if is_first():
            _record_failure(run, cause)
        if own is not None:
            raise own from error
        raise
    finally:
        finish_wandb(exit_code)
    return metrics


def _start(run: Run, config: DictConfig) -> None:
    if not config.resume and run.metrics is not None:
        raise UserError(f"{run.folder} holds a complete run; continue it by resume=FOLDER, or choose another folder")
    if is_first():
        if config.resume:
            refuse_lost_checkpoint(run)
            _record_places_of_data(run, config)
        if run.metrics is None:  # the status of a complete run changes when further training begins
            run.start(config)


def _record_places_of_data(run: Run, config: DictConfig) -> None:
    """As absolute ones, where this command is given elsewhere: relative ones are those of the first command's."""
    if Path.cwd() != working_directory(run):
        for key in filter(config.data.get, KEYS):
            config.data[key] = os.path.abspath(os.path.expanduser(config.data[key]))


def _drop_what_was_of(before: dict[str, Any], run: Run) -> None:
    """Delete the pictures of an evaluation of earlier weights, whose metrics are replaced already; name their exports.

    before: the content of `metrics.json` of these weights.
    """
    if "evaluation" in before:
        for file in run.figures:
            if file.name.startswith(f"{EVALUATION}_"):
                file.unlink(missing_ok=True)
        log.info("trained further: the evaluation of the earlier weights is dropped")
    for folder in sorted(run.folder.glob(f"{EXPORT}_*")):
        log.warning("trained further: %s has the earlier weights; export again", folder)


def _start_ranks(ranks: Ranks, run: Run, trainer: Trainer) -> None:
    """Start the processes of the other devices by this process's own command, unless a launcher has started them."""
    strategy = trainer.strategy
    if trainer.num_devices == 1 or not isinstance(strategy, ParallelStrategy):
        return
    environment = strategy.cluster_environment
    if environment is None or environment.creates_processes_externally:
        return
    variables = {
        "MASTER_ADDR": environment.main_address,
        "MASTER_PORT": str(environment.main_port),
        "NODE_RANK": str(environment.node_rank()),
        "WORLD_SIZE": str(trainer.num_devices * trainer.num_nodes),
    }
    folder = f"hydra.run.dir={literal(str(run.folder.absolute()))}"
    # as a module: the first word of the command line may be any script
    command = [sys.executable, "-m", "latentlab.__main__", *sys.argv[1:], folder, "hydra.output_subdir=null"]
    ranks.start(command, trainer.num_devices, variables, HydraConfig.get().runtime.cwd)


def _end_group() -> None:
    """End the group of processes: sums are then this process's own, and its exit is not aborted.

    A process that exits within a group may be: by `std::terminate`, as a thread of gloo's is still there.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _disk_error(error: BaseException, folder: Path) -> OSError | None:
    """The error of a disk, with a file name; Lightning raises TensorBoard's as the cause of another error."""
    found = error.__cause__ if isinstance(error, ValueError) else error
    if not isinstance(found, OSError):
        return None
    if found.errno and found.filename is None:
        found.filename = str(folder)
    return found


def _record_failure(run: Run, error: BaseException) -> None:
    if isinstance(error, Interrupted):
        status, reason = "interrupted", f"signal {error.signal_number}"
    elif isinstance(error, RankLost | OSError | OwnClassError):  # not the experiment's: to be resumed, not restarted
        status, reason = "interrupted", str(error)
    elif isinstance(error, Pruned):
        status, reason = "pruned", str(error)
    else:
        status, reason = "failed", f"{type(error).__name__}: {error}"
    try:
        # else the folder was deleted, or only the evaluation after the training failed
        if run.config_file.is_file() and not is_marked_complete(run):
            run.write_status(status, reason)
    except OSError as problem:
        print(f"the status could not be written: {problem}", file=sys.stderr)
    if status == "interrupted" and not isinstance(error, RankLost):  # whose message ends in it
        log.warning("interrupted by %s; %s", reason, _how_to_resume(run))


def _how_to_resume(run: Run) -> str:
    return f"to resume: latentlab train {shlex.quote(f'resume={run.folder}')}"
