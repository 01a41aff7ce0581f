"""Train one model as its config says, test its best epoch, and leave everything about the run in its folder."""

import logging
import os
import pickle
import shlex
import sys
import time
import warnings
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, Timer
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from latentlab.allocator import keep_freed_memory
from latentlab.build import build_data, build_each, build_model, build_trainer, check_trainer, parameters_of, time_limit
from latentlab.callbacks.epoch_line import EpochLine
from latentlab.callbacks.history import History
from latentlab.callbacks.progress import Progress
from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError, Interrupted, NonFiniteObjective, Pruned, RankLost, UserError
from latentlab.execution import CallPlan
from latentlab.files import for_json
from latentlab.hyperparameters import hyperparameters
from latentlab.identity import config_hash
from latentlab.lock import held
from latentlab.models.base import Autoencoder
from latentlab.provenance import git_revision, versions
from latentlab.ranks import watched
from latentlab.runs import Run
from latentlab.signals import interruptible
from latentlab.standing import is_evaluated
from latentlab.threads import disk_errors_in_a_line
from latentlab.tracking import close_boards, finish_wandb, log_hyperparameters

log = logging.getLogger(__name__)

MOST_SEED = 2**32 - 1  # NumPy takes no larger one


def train(config: DictConfig, *, quiet: bool) -> dict[str, Any]:
    """Fit, test and record one run; returns what `metrics.json` holds.

    Raises:
        UserError: the config, the data or the folder cannot serve, or the objective became NaN or infinite.
        Interrupted: SIGINT or SIGTERM; while it trains, after a checkpoint was saved.
        Pruned: a search stopped it early.
    """
    run = Run(config.paths.run_dir)
    with held(run.folder) if _is_first_process() else nullcontext():
        return _train(run, config, quiet)


def _train(run: Run, config: DictConfig, quiet: bool) -> dict[str, Any]:
    if config.resume and (metrics := _finished(run, config)):
        done = is_evaluated(metrics, config.evaluate)
        return metrics if done else _evaluated(run, config, metrics, None, quiet)
    if not config.resume and run.metrics is not None:
        raise UserError(f"{run.folder} holds a complete run; go on with it by resume=FOLDER, or choose another folder")
    if _is_first_process():
        run.start(config)
    exit_code = 1
    try:
        with interruptible(), disk_errors_in_a_line(), watched(_to_go_on(run), partial(_record_failure, run)):
            metrics, loggers = _fit_and_test(run, config, quiet)
            metrics = _evaluated(run, config, metrics, loggers, quiet)
            close_boards(loggers)
        exit_code = 0
    except BaseException as error:
        cause = _disk_error(error, run.folder) or error
        if _is_first_process():
            _record_failure(run, cause)
        raise
    finally:
        finish_wandb(exit_code)
    return metrics


def _is_first_process() -> bool:
    rank: int = rank_zero_only.rank  # type: ignore[attr-defined]
    return rank == 0


def _finished(run: Run, config: DictConfig) -> dict[str, Any] | None:
    metrics = run.metrics
    if metrics is None or metrics["epochs"] < config.trainer.max_epochs:
        return None
    log.info("%s is complete after %d epochs; raise trainer.max_epochs to go on", run.folder, metrics["epochs"])
    return metrics


def _evaluated(
    run: Run, config: DictConfig, metrics: dict[str, Any], loggers: list[Logger] | None, quiet: bool
) -> dict[str, Any]:
    """The complete run measured, if it is to be, by the first process alone: its sums are then its own."""
    if config.evaluate == "none":
        return metrics
    from latentlab.evaluating import evaluate_run

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    if not _is_first_process():
        return metrics
    return evaluate_run(run, config.evaluate, config.paths.output_dir, quiet=quiet, loggers=loggers)


def _fit_and_test(run: Run, config: DictConfig, quiet: bool) -> tuple[dict[str, Any], list[Logger]]:
    started = time.perf_counter()
    if not 0 <= config.seed <= MOST_SEED:
        raise ConfigError(f"seed: expected 0 to {MOST_SEED}, found {config.seed}")
    _forget_earlier_jobs()
    _spare_each_step()
    _leave_speaking_to_us()
    pl.seed_everything(config.seed, verbose=False)
    check_trainer(config.trainer)
    data = build_data(config)
    calls = CallPlan.of(config.trainer, data.train_dataloader().batches)
    data.steps_per_call = calls.size
    model = build_model(config, data.image_shape, data.num_classes)
    timer = Timer(time_limit(config.trainer))
    ours = [timer, History(Path(config.paths.run_dir)), EpochLine() if quiet else Progress()]
    callbacks: list[Callback] = [*ours, *build_each(config.callbacks), _every_epoch(run)]
    loggers = build_each(config.logger)
    trainer = build_trainer(config, callbacks, loggers, calls.options)
    _fit(trainer, model, data, run, run.last_checkpoint if config.resume else None)
    # the test loads a checkpoint, and with it an earlier reading
    progress = {"epochs": trainer.current_epoch, "steps": trainer.global_step}
    train_seconds, best = timer.time_elapsed("train"), _best(trainer)
    tested = time.perf_counter()
    trainer.test(model, datamodule=data, ckpt_path=best.best_model_path or None, verbose=False, weights_only=True)
    now = time.perf_counter()
    seconds = {"train_seconds": train_seconds, "test_seconds": now - tested, "wall_seconds": now - started}
    figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items()) if "/" in name}
    if best.best_model_score is not None:
        figures[f"{best.monitor}"] = float(best.best_model_score)
    metrics = {
        "status": "complete",
        "metrics": for_json(figures),
        "data": data.name,
        "data_fingerprint": data.fingerprint(),
        "seed": config.seed,
        "device": f"{trainer.world_size} x {trainer.strategy.root_device.type}",
        "threads": torch.get_num_threads(),
        **{name: round(value, 3) for name, value in seconds.items()},
        **progress,
        "parameters": parameters_of(model),
    }
    if trainer.is_global_zero:
        metrics |= {"git_revision": git_revision(), "versions": versions(), "config_hash": config_hash(config)}
        plain: Any = OmegaConf.to_container(config, resolve=True)
        log_hyperparameters(loggers, hyperparameters(plain), figures, progress["steps"])
        run.write_metrics(metrics)
        log.info("%s", "  ".join(f"{name} {value:.5g}" for name, value in figures.items()))
    return metrics, loggers


def _every_epoch(run: Run) -> ModelCheckpoint:
    """What saves `last.ckpt`: Lightning's `save_last` would write it with the best epochs alone."""
    return ModelCheckpoint(
        run.folder / "checkpoints", "last", save_on_train_epoch_end=True, enable_version_counter=False
    )


def _fit(trainer: pl.Trainer, model: Autoencoder, data: ImageDataModule, run: Run, checkpoint: Path | None) -> None:
    if checkpoint is not None:
        _refuse_damaged(checkpoint)
        log.info("resuming from %s", checkpoint)
    try:
        trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except NonFiniteObjective as error:
        saved = str(run.last_checkpoint or "")
        raise NonFiniteObjective(error.stage, error.name, error.step, saved) from error


def _refuse_damaged(checkpoint: Path) -> None:
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise UserError(f"resume: {checkpoint} is damaged; put best.ckpt in its place, or start a new run") from error


def _best(trainer: pl.Trainer) -> ModelCheckpoint:
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, ModelCheckpoint)
    return checkpoint


def _forget_earlier_jobs() -> None:
    """Undo what an earlier job of a sweep leaves in the process and Lightning does not reset."""
    torch.use_deterministic_algorithms(False)
    torch.set_grad_enabled(True)


def _spare_each_step() -> None:
    """Set the process up so that no step pays for what Lightning and the C library would do in it."""
    # Lightning's own switch: the optimizer asks for a GPU at every step, and would load a library to be told of none
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    keep_freed_memory()


def _leave_speaking_to_us() -> None:
    """Lightning's loggers print beside Hydra's, about devices that are absent and about other products."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    # of a machine that could hand jobs to Slurm, whoever works there without it
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    # Lightning 2.6 asks newer torch in an older way: nothing that a user could mend
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")


def _disk_error(error: BaseException, folder: Path) -> OSError | None:
    """What could not be read or written, with a name; Lightning tells TensorBoard's as the cause of another error."""
    found = error.__cause__ if isinstance(error, ValueError) else error
    if not isinstance(found, OSError):
        return None
    if found.errno and found.filename is None:
        found.filename = str(folder)
    return found


def _record_failure(run: Run, error: BaseException) -> None:
    if isinstance(error, Interrupted):
        status, reason = "interrupted", f"signal {error.signal_number}"
    elif isinstance(error, RankLost | OSError):  # no fault of the experiment's: it is to go on, not to be repeated
        status, reason = "interrupted", str(error)
    elif isinstance(error, Pruned):
        status, reason = "pruned", str(error)
    else:
        status, reason = "failed", f"{type(error).__name__}: {error}"
    try:
        if run.metrics is None:  # else it was trained to its end, and only its evaluation was not
            run.write_status(status, reason)
    except OSError as problem:
        print(f"the status could not be written: {problem}", file=sys.stderr)
    if status == "interrupted" and not isinstance(error, RankLost):  # which says so itself
        log.warning("interrupted by %s; %s", reason, _to_go_on(run))


def _to_go_on(run: Run) -> str:
    return f"to go on: latentlab-train {shlex.quote(f'resume={run.folder}')}"
