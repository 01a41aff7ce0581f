"""What is refused before the data is loaded and a run's folder is made."""

import inspect
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import (
    BatchSizeFinder,
    Callback,
    Checkpoint,
    GradientAccumulationScheduler,
    LearningRateFinder,
    LearningRateMonitor,
    StochasticWeightAveraging,
    Timer,
)
from omegaconf import DictConfig, OmegaConf
from torch.optim import Optimizer

from latentlab.config.instantiation import make, make_each
from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError
from latentlab.runs import Run, layout
from latentlab.training.build import build_model, tried_optimizer
from latentlab.training.restore import weights_for

log = logging.getLogger(__name__)

MAX_SEED = 2**32 - 1  # NumPy accepts no larger one
# of which Lightning accepts a zero, and divides by it or trains on nothing
POSITIVE = (
    *("max_epochs", "limit_train_batches", "accumulate_grad_batches", "gradient_clip_val"),
    *("check_val_every_n_epoch", "val_check_interval"),
)
# callbacks that change what a run's config says
INSTEAD: dict[type[Callback], str] = {
    GradientAccumulationScheduler: "set trainer.accumulate_grad_batches",
    LearningRateFinder: "search optimizer.lr, as docs/sweeps.md describes",
    BatchSizeFinder: "set data.batch_size",
}
REPRODUCED = "reproduce_"  # how the sweeps of `latentlab reproduce` are named
OTHER_PARAMETERS = ("64", "64-true", "16-true", "bf16-true")


def check(config: DictConfig) -> None:
    """Make the components of a run once, where the images' shape is known also the model, and forget them.

    Raises:
        ConfigError: a value out of range, or components that do not fit each other.
    """
    if not 0 <= config.seed <= MAX_SEED:
        raise ConfigError(f"seed: expected 0 to {MAX_SEED}, found {config.seed}")
    check_trainer(config.trainer)
    if not config.resume:  # whose folder may have been moved
        _refuse_places_elsewhere(config)
    data = make(config, "data", ImageDataModule)
    shape = getattr(data, "image_shape", None)
    starts_from = initial_run(config)
    if shape is not None:
        model = build_model(config, shape, data.num_classes)
        if starts_from is not None:
            weights_for(model, starts_from)
    _refuse_closure(tried_optimizer(config))
    callbacks = make_each(config, "callbacks", Callback)
    for callback in callbacks:
        if (instead := INSTEAD.get(type(callback))) is not None:
            raise ConfigError(f"callbacks: {type(callback).__name__} cannot be used in a run; {instead}")
    if any(isinstance(callback, LearningRateMonitor) for callback in callbacks) and not config.get("logger"):
        raise ConfigError("callbacks: LearningRateMonitor needs a logger, found none; choose logger=tensorboard")


def _refuse_closure(optimizer: Optimizer) -> None:
    """Raise ConfigError for one that computes the loss itself: a run's steps are made of gradients."""
    try:
        inspect.signature(optimizer.step).bind()
    except TypeError as error:
        raise ConfigError(
            f"optimizer: expected one whose step() needs no closure, such as optimizer=adam or sgd, found "
            f"{type(optimizer).__name__} ({error}); Lightning's Trainer trains a model of ll.build with it"
        ) from error


def _refuse_places_elsewhere(config: DictConfig) -> None:
    """Raise ConfigError for weights or pictures outside the run's folder, where runs would overwrite each other's."""
    folder = Path(config.paths.run_dir).resolve()
    for key in ("callbacks.checkpoint.dirpath", "trainer.default_root_dir"):
        place = OmegaConf.select(config, key)
        if place is not None and not Path(place).resolve().is_relative_to(folder):
            raise ConfigError(f"{key}: expected a folder within the run's own, ${{paths.run_dir}}/NAME, found {place}")


def initial_run(config: DictConfig) -> Run | None:
    """The run whose weights a training starts from; None where there is none, or where it has saved its own.

    Of a sweep it is the run of the same seed.

    Raises:
        UserError: the folder is none of a complete run, or of a sweep with one such run.
    """
    if config.get("initial_weights") is None or (config.resume and Run(config.resume).last_checkpoint is not None):
        return None
    folder = Path(config.initial_weights)
    if (folder / layout.MANIFEST).is_file():
        runs = [run for run in map(Run, sorted(folder.iterdir())) if run.metrics is not None]
        found = [run for run in runs if run.config.seed == config.seed]
        if len(found) != 1:
            raise ConfigError(
                f"initial_weights: expected one complete run of seed {config.seed} in the sweep {folder}, found "
                f"{len(found)}; name the folder of a run"
            )
        return found[0]
    if folder.name.startswith(REPRODUCED) and not folder.exists():
        recipe = folder.name.removeprefix(REPRODUCED)
        raise ConfigError(f"initial_weights: there is no {folder}; train it first: latentlab reproduce {recipe}")
    run = Run(folder)
    run.refuse_other_folder("initial_weights: ")
    if run.metrics is None:
        raise ConfigError(
            f"initial_weights: {folder} is not complete; finish it first: latentlab train resume={folder}"
        )
    return run


def warn_of_tested_weights(callbacks: Sequence[Callback]) -> None:
    """Warnings where the callbacks do not keep the weights that one would expect to be tested."""
    if callbacks and not any(isinstance(callback, Checkpoint) for callback in callbacks):
        log.warning(
            "callbacks: none of them keeps the weights of the best epoch, those of the last one are tested; further "
            "ones beside the default ones are callbacks=[default,NAME]"
        )
    if any(isinstance(callback, StochasticWeightAveraging) for callback in callbacks):
        log.warning(
            "callbacks: StochasticWeightAveraging averages after the last epoch, and no checkpoint holds the average: "
            "a single epoch's weights are tested; averages that are tested and kept are callbacks=[default,ema]"
        )


def check_trainer(trainer: Mapping[str, Any]) -> None:
    """Raise ConfigError for values that Lightning accepts silently, or divides by."""
    if trainer["max_epochs"] is None:
        raise ConfigError("trainer.max_epochs: expected at least 1, found null")
    if trainer.get("devices") in (0, "0", []):
        raise ConfigError(f"trainer.devices: expected at least one, found {trainer['devices']}")
    if trainer.get("max_steps") is not None and trainer["max_steps"] != -1 and trainer["max_steps"] < 1:
        raise ConfigError(f"trainer.max_steps: expected at least 1, or -1 for no limit, found {trainer['max_steps']}")
    if trainer.get("overfit_batches"):
        raise ConfigError(
            f"trainer.overfit_batches: expected 0, as epochs differ in batches, found {trainer['overfit_batches']}"
            "; give a data set of a few images, or trainer.limit_train_batches"
        )
    for key in POSITIVE:
        value = trainer.get(key)
        if isinstance(value, int | float) and value <= 0:
            raise ConfigError(f"trainer.{key}: expected more than 0, found {value}")
    for fewest, most in (("min_epochs", "max_epochs"), ("min_steps", "max_steps")):
        least, limit = trainer.get(fewest), trainer.get(most)
        if least is not None and limit is not None and -1 != limit < least:
            raise ConfigError(f"trainer.{fewest}: expected at most trainer.{most}, {limit}, found {least}")
    if trainer.get("gradient_clip_algorithm") not in (None, "norm", "value"):
        raise ConfigError(
            f"trainer.gradient_clip_algorithm: expected norm or value, found {trainer['gradient_clip_algorithm']}"
        )
    if str(trainer.get("precision")) in OTHER_PARAMETERS:
        raise ConfigError(
            f"trainer.precision: images, noise and parameters are float32; expected 32-true, bf16-mixed or 16-mixed, "
            f"found {trainer['precision']}"
        )
    timer_of(trainer)


def timer_of(trainer: Mapping[str, Any]) -> Timer:
    """What measures a training's time, and ends it after `max_time` of a config's trainer node.

    Raises:
        ConfigError: `max_time` is not a duration, or not positive.
    """
    given = trainer.get("max_time")
    try:
        timer = Timer(dict(given) if isinstance(given, Mapping) else given)
        is_positive = given is None or (timer.time_remaining() or 0) > 0
    except (TypeError, AttributeError, OverflowError, MisconfigurationException):
        is_positive = False
    if not is_positive:
        raise ConfigError(
            "trainer.max_time: expected days:hours:minutes:seconds such as 00:01:30:00, or {minutes: 90}, "
            f"found {given}"
        )
    return timer
