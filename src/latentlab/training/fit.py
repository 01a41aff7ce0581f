"""Train one model as its config says, test its best epoch, and leave everything about the run in its folder."""

import logging
import os
import pickle
import time
import warnings
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, Timer
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError, NonFiniteObjective, UserError
from latentlab.models.base import Autoencoder
from latentlab.processes.allocator import keep_freed_memory
from latentlab.runs import Run, layout
from latentlab.runs.files import for_json
from latentlab.runs.hyperparameters import hyperparameters
from latentlab.runs.identity import config_hash
from latentlab.runs.provenance import git_revision, versions
from latentlab.training.build import (
    build_data,
    build_each,
    build_model,
    build_trainer,
    check_trainer,
    parameters_of,
    time_limit,
)
from latentlab.training.callbacks.epoch_line import EpochLine
from latentlab.training.callbacks.history import History
from latentlab.training.callbacks.progress import Progress
from latentlab.training.execution import CallPlan
from latentlab.training.tracking import log_hyperparameters

log = logging.getLogger(__name__)

MOST_SEED = 2**32 - 1  # NumPy takes no larger one


def fit_and_test(run: Run, config: DictConfig, quiet: bool) -> tuple[dict[str, Any], list[Logger]]:
    """Train, test with the best weights, write `metrics.json`; returns what it holds, and the open loggers.

    Raises:
        UserError: the config, the data or the folder cannot serve, or the objective became NaN or infinite.
    """
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
    callbacks: list[Callback] = [*ours, *build_each(config, "callbacks"), _every_epoch(run)]
    loggers = build_each(config, "logger")
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
        run.folder / layout.CHECKPOINTS, layout.LAST, save_on_train_epoch_end=True, enable_version_counter=False
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
