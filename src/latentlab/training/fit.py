"""Train one model from its config, test its best epoch, and write everything about the run to its folder."""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from traceback import walk_tb
from typing import Any, NamedTuple, final

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, LambdaCallback, ModelCheckpoint, Timer
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from latentlab.config.instantiation import make_each
from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError, NonFiniteObjective, UserError
from latentlab.models.base import Autoencoder
from latentlab.models.checkpoint_file import weights_fingerprint
from latentlab.processes.tuning import tuned_process
from latentlab.runs import Run, layout
from latentlab.runs.hyperparameters import hyperparameters
from latentlab.runs.identity import config_hash
from latentlab.runs.provenance import git_revision, versions
from latentlab.training.build import build_data, build_model, build_trainer, parameters_of
from latentlab.training.callbacks.epoch_line import EpochLine
from latentlab.training.callbacks.frozen import FrozenParameters
from latentlab.training.callbacks.history import History
from latentlab.training.callbacks.last_steps import LastSteps
from latentlab.training.callbacks.progress import Progress
from latentlab.training.checkpoints import LastCheckpoint, read_checkpoint
from latentlab.training.checks import initial_run, timer_of, warn_of_tested_weights
from latentlab.training.continuing import OTHER_CHECKPOINT, refuse_unfit
from latentlab.training.execution import CallPlan, Execution, partial_data, save_intervals, with_batch_hooks
from latentlab.training.lightning_internals import direct_steps
from latentlab.training.lightning_messages import silence_lightning
from latentlab.training.restore import weights_for
from latentlab.training.summary import beginning, log_early_stopping, metrics_table
from latentlab.training.tracking import flush, log_hyperparameters, wandb_run_id

log = logging.getLogger(__name__)
only_in_file = logging.getLogger("latentlab.details")  # see conf/hydra/job_logging


@final
class Session(NamedTuple):
    """What one training consists of.

    timer: measures the training alone.
    """

    data: ImageDataModule
    model: Autoencoder
    trainer: pl.Trainer
    timer: Timer

    @property
    def loggers(self) -> list[Logger]:
        """The loggers of the config."""
        return self.trainer.loggers

    @property
    def checkpoint(self) -> ModelCheckpoint:
        """The callback that chooses the epoch whose weights are tested."""
        callback = self.trainer.checkpoint_callback
        assert isinstance(callback, ModelCheckpoint)
        return callback


@tuned_process()
def fit_and_test(
    run: Run, config: DictConfig, quiet: bool, start_ranks: Callable[[pl.Trainer], None]
) -> tuple[dict[str, Any], list[Logger]]:
    """Train, test with the best weights, write `metrics.json`; returns its content, and the open loggers.

    start_ranks: starts the processes of the trainer's other devices.

    Raises:
        UserError: the config, the data or the folder cannot serve, or the objective became NaN or infinite.
    """
    started = time.perf_counter()
    _prepare_process(config.seed)
    if partial := partial_data(config.trainer):
        log.warning("on a part of the data (%s): reports leave this run out", ", ".join(partial))
    session = _assembled(run, config, quiet)
    start_ranks(session.trainer)
    if is_single(config) and session.trainer.is_global_zero:
        parameters, device = parameters_of(session.model), _device(session.trainer)
        log.info("%s", beginning(config, session.data, session.model, parameters, device))
    _fit(session, run, run.last_checkpoint if config.resume else None)
    log_early_stopping(session.trainer)
    progress = {"epochs": session.trainer.current_epoch, "steps": session.trainer.global_step}  # before the test
    fingerprint = _load_weights_to_test(session, run)
    metrics, seconds = _tested(session)
    seconds["wall_seconds"] = time.perf_counter() - started
    content = _content(run, config, session, metrics, seconds) | progress | {"weights_fingerprint": fingerprint}
    if session.trainer.is_global_zero:
        plain: Any = OmegaConf.to_container(config, resolve=True)
        log_hyperparameters(session.loggers, hyperparameters(plain), metrics, progress["steps"])
        provenance = {"git_revision": git_revision(), "versions": versions(), "config_hash": config_hash(plain)}
        content = run.complete(content | provenance)
        in_a_line = "  ".join(f"{name} {value:.5g}" for name, value in metrics.items())
        log.info("%s", metrics_table(metrics) if is_single(config) else in_a_line)
    flush(session.loggers)
    return content, session.loggers


def _prepare_process(seed: int) -> None:
    """Settings of the process, and the seed of the parameters."""
    # an earlier job of a sweep may have changed these, and Lightning does not reset them
    torch.use_deterministic_algorithms(False)
    torch.set_grad_enabled(True)
    # PyTorch's switch, which Lightning turns on: at each step the optimizer would load NVIDIA's library to find a GPU
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    silence_lightning()
    pl.seed_everything(seed, verbose=False)


def _assembled(run: Run, config: DictConfig, quiet: bool) -> Session:
    data, execution = build_data(config), Execution.of(config.trainer)
    data.on_device = execution.images_on_device
    batches = data.train_dataloader().batches
    model = build_model(config, data.image_shape, data.num_classes)
    if starts_from := initial_run(config):
        model.load_state_dict(weights_for(model, starts_from))
        log.info("starting from the weights of %s", starts_from.folder)
        if (starts_from.metrics or {}).get("data_fingerprint") not in (None, data.fingerprint()):
            log.warning(
                "initial_weights: that run was trained on other images, which may include test images of this one"
            )
    if config.data.binarize and not model.likelihood.discrete:
        log.warning(
            "likelihood: a density over grey levels on binarised pixels is unbounded; likelihood=bernoulli fits them"
        )
    configured = make_each(config, "callbacks", Callback)
    warn_of_tested_weights(configured)
    per_batch = with_batch_hooks(configured)
    execution.prepare(model)
    plan = CallPlan.of(config.trainer, batches, [1] if per_batch else save_intervals(config.callbacks))
    if not plan.ends_validated:
        log.warning("trainer.val_check_interval: an epoch's end, whose weights are kept, is left without validation")
    if per_batch and execution.steps_per_call > 1:
        names = ", ".join(type(callback).__name__ for callback in per_batch)
        log.info("one step per call (trainer.steps_per_call=1): %s has a hook for each batch", names)
    data.batches_per_call, data.keep_batches = plan.size, bool(per_batch)
    model.train_in_calls(direct_steps, plan.total_steps(config.trainer.max_epochs))
    timer = timer_of(config.trainer)
    shown = [EpochLine()] if quiet else [EpochLine(only_in_file), Progress()]
    callbacks: list[Callback] = [
        timer,
        History(Path(config.paths.run_dir)),
        LastSteps(),
        FrozenParameters(),
        LambdaCallback(on_train_start=partial(_mark_running, run, config)),
        *shown,
        *configured,
        LastCheckpoint(run.folder / layout.CHECKPOINTS),
    ]
    return Session(data, model, build_trainer(config, callbacks, plan.options), timer)


def _mark_running(run: Run, config: DictConfig, trainer: pl.Trainer, _: pl.LightningModule) -> None:
    """Of a complete run, which is trained further: what was refused until now has left it complete."""
    if trainer.is_global_zero and run.metrics is not None:
        run.start(config)


def _fit(session: Session, run: Run, checkpoint: Path | None) -> None:
    if checkpoint is not None:
        refuse_unfit(checkpoint, run, session.data, session.model)
        log.info("resuming from %s", checkpoint)
    try:
        session.trainer.fit(session.model, datamodule=session.data, ckpt_path=checkpoint, weights_only=True)
    except NonFiniteObjective as error:
        saved = str(run.last_checkpoint or "")
        raise NonFiniteObjective(error.stage, error.name, error.step, saved) from error
    except (ValueError, RuntimeError, AttributeError, TypeError, LookupError) as error:
        if checkpoint is not None and session.timer.start_time("train") is None:  # it was still being restored
            raise UserError(
                f"resume: {checkpoint} is damaged ({type(error).__name__}: {error}); {OTHER_CHECKPOINT}"
            ) from error
        if not isinstance(error, LookupError) and _was_raised_by_lightning(error):
            raise ConfigError(f"trainer: {error}") from error
        raise


def _was_raised_by_lightning(error: Exception) -> bool:
    """Whether Lightning or one of its callbacks refused something, as against a failure in what it calls."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("lightning.")


def _load_weights_to_test(session: Session, run: Run) -> str | None:
    """Load what the run's model will be: the best epoch's weights, or the last ones where none is kept as the best.

    Returns their fingerprint; None where no epoch was trained.
    """
    best = session.checkpoint.best_model_path
    file = Path(best) if best else run.last_checkpoint
    if file is None:
        return None
    # with `ckpt_path`, Lightning's averages of weights would put the weights of the training in their place
    weights = read_checkpoint(file, "train the run again")["state_dict"]
    session.model.load_state_dict(weights)
    return weights_fingerprint(weights)


def _tested(session: Session) -> tuple[dict[str, float], dict[str, float]]:
    """The metrics of the test, the best value of the checkpoint's monitor, and the seconds of training and test."""
    trainer, best = session.trainer, session.checkpoint
    train_seconds, started = session.timer.time_elapsed("train"), time.perf_counter()
    trainer.test(session.model, datamodule=session.data, verbose=False)
    seconds = {"train_seconds": train_seconds, "test_seconds": time.perf_counter() - started}
    metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items()) if "/" in name}
    if best.best_model_score is not None:
        metrics[f"{best.monitor}"] = float(best.best_model_score)
    return metrics, seconds


def _content(
    run: Run, config: DictConfig, session: Session, metrics: dict[str, float], seconds: dict[str, float]
) -> dict[str, Any]:
    """The content of `metrics.json` that every device knows."""
    trainer, data, tested = session.trainer, session.data, session.checkpoint.best_model_path
    folder = run.folder.resolve()  # as Lightning does with its own folder, so that neither goes through a link
    return {
        "status": "complete",
        "metrics": metrics,
        "data": data.name,
        "data_fingerprint": data.fingerprint(),
        "partial_data": partial_data(config.trainer),
        "seed": config.seed,
        "device": _device(trainer),
        "threads": torch.get_num_threads(),
        **{name: round(value, 3) for name, value in seconds.items()},
        "parameters": parameters_of(session.model),
        "condition": "label" if session.model.conditional else None,
        "checkpoint": os.path.relpath(tested, folder) if tested else None,
        "wandb_run_id": wandb_run_id(session.loggers),
    }


def is_single(config: DictConfig) -> bool:
    """Whether a run is no job of a sweep, which says less."""
    return config.sweep.name is None


def _device(trainer: pl.Trainer) -> str:
    return f"{trainer.world_size} x {trainer.strategy.root_device.type}"
