"""A composed config -> data, model, callbacks, loggers and trainer: the only module that assembles components."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig
from torch.optim import Optimizer

from latentlab.config.instantiation import class_at, make, make_each, make_with
from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError
from latentlab.functional.distributions import Likelihood
from latentlab.models.base import Autoencoder
from latentlab.models.nets.base import Decoder, Encoder
from latentlab.models.parts import Parts
from latentlab.processes.launcher import started, started_by_a_launcher
from latentlab.training.checkpoints import WholeCheckpoints
from latentlab.training.execution import Execution

log = logging.getLogger(__name__)

# of which Lightning accepts a zero, and divides by it or trains on nothing
POSITIVE = (
    *("max_epochs", "limit_train_batches", "accumulate_grad_batches", "gradient_clip_val"),
    *("check_val_every_n_epoch", "val_check_interval"),
)
# done by the model or a callback instead of Lightning, as a call holds several steps
NOT_LIGHTNINGS = ("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm", "max_time")
OTHER_PARAMETERS = ("64", "64-true", "16-true", "bf16-true")
PROCESSES_PER_CORE = 4  # Lightning would start any number, and overload the machine


def build_data(config: DictConfig) -> ImageDataModule:
    """The datamodule, loaded, so that image shape and classes are known.

    Raises:
        ConfigError: a value out of range.
        DataError: the data is missing or damaged.
    """
    data: ImageDataModule = make(config, "data")
    data.prepare_data()
    data.setup("fit")
    return data


def build_model(config: DictConfig, image_shape: tuple[int, int, int], num_classes: int) -> Autoencoder:
    """The variant with its networks, sized for the images.

    Raises:
        ConfigError: components that do not fit each other.
    """
    variant = class_at(config, "model")
    assert issubclass(variant, Autoencoder)
    latent_dim = config.model.latent_dim
    if latent_dim < 1:
        raise ConfigError(f"model.latent_dim: expected at least 1, found {latent_dim}")
    condition = num_classes if variant.conditional else 0
    options = _training_options(config.trainer)
    optimizer = _optimizer(config)
    likelihood: Likelihood = make(config, "likelihood")
    encoder: Encoder = make_with(
        config,
        "net.encoder",
        image_shape=image_shape,
        features=variant.parameters_per_latent * latent_dim,
        condition_features=condition,
    )
    decoder: Decoder = make_with(
        config, "net.decoder", features=latent_dim, image_shape=image_shape, condition_features=condition
    )
    parts = Parts(
        encoder=encoder,
        decoder=decoder,
        likelihood=likelihood,
        optimizer=optimizer,
        rate=make(config, "scheduler"),
        image_shape=image_shape,
        num_classes=num_classes,
        **options,
    )
    if config.data.binarize and not likelihood.discrete:
        log.warning(
            "likelihood: a density over grey levels on binarised pixels is unbounded; likelihood=bernoulli fits them"
        )
    model: Autoencoder = make_with(config, "model", parts)
    return model


def build_trainer(config: DictConfig, callbacks: list[Callback], options: Mapping[str, Any]) -> Trainer:
    """Lightning's trainer with the config's loggers and without a progress bar.

    callbacks: all of them. options: arguments that take precedence over the config's.

    Raises:
        ConfigError: what the machine does not have, or options that Lightning refuses together.
    """
    own = {*NOT_LIGHTNINGS, "plugins", *Execution.__dataclass_fields__, *options}
    node = DictConfig({"trainer": {name: value for name, value in config.trainer.items() if name not in own}})
    arguments = {"callbacks": callbacks, "enable_progress_bar": False, "plugins": _plugins(config)}
    arguments["logger"] = make_each(config, "logger", Logger) or False
    try:
        trainer: Trainer = make_with(node, "trainer", **arguments, **options)
    except (TypeError, ImportError, RuntimeError) as error:
        # a RuntimeError is about the way in which Slurm's tasks were requested
        if isinstance(error, RuntimeError) and "SLURM_NTASKS" not in os.environ:
            raise
        raise ConfigError(f"trainer: {error}") from error
    limit = PROCESSES_PER_CORE * (os.cpu_count() or 1)
    if isinstance(trainer.accelerator, CPUAccelerator) and trainer.num_devices > limit:
        raise ConfigError(
            f"trainer.devices: expected at most {limit} on this machine's CPU, found {trainer.num_devices}"
        )
    _refuse_other_number_of_processes(trainer)
    return trainer


def _plugins(config: DictConfig) -> list[Any]:
    """Those of the config, with whole checkpoints unless one of them writes checkpoints itself."""
    given = make(config, "trainer.plugins") if config.trainer.get("plugins") else []
    plugins = [*given] if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    own = any(isinstance(plugin, CheckpointIO) for plugin in plugins)
    return plugins if own else [*plugins, WholeCheckpoints()]


def _refuse_other_number_of_processes(trainer: Trainer) -> None:
    """Lightning would wait for processes that are never started, or train the same in all of them."""
    devices, nodes = trainer.num_devices, trainer.num_nodes
    if started_by_a_launcher() and started() != devices * nodes:
        raise ConfigError(
            f"trainer.devices: {devices} on each of {nodes} nodes, but Slurm or torchrun has started {started()} "
            f"processes; let it start one per device (hydra.launcher.tasks_per_node={devices}, "
            f"srun --ntasks-per-node={devices}, torchrun --nproc-per-node={devices})"
        )


def check_trainer(trainer: Mapping[str, Any]) -> None:
    """Raise ConfigError for values that Lightning accepts silently, or divides by."""
    if trainer["max_epochs"] is None:
        raise ConfigError("trainer.max_epochs: expected at least 1, found null")
    for key in POSITIVE:
        value = trainer.get(key)
        if isinstance(value, int | float) and value <= 0:
            raise ConfigError(f"trainer.{key}: expected more than 0, found {value}")
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


def parameters_of(model: torch.nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _training_options(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Parts` that a config's trainer node sets."""
    every = trainer.get("log_every_n_steps")
    return {
        "accumulate": trainer.get("accumulate_grad_batches") or 1,
        "clip": trainer.get("gradient_clip_val"),
        "clip_by": trainer.get("gradient_clip_algorithm") or "norm",
        **({} if every is None else {"log_every_n_steps": every}),
    }


def _optimizer(config: DictConfig) -> Callable[..., Optimizer]:
    """The optimizer, tried on one parameter: an invalid option is reported before any training."""
    try:
        make_with(config, "optimizer", [torch.nn.Parameter(torch.zeros(1))])
    except (TypeError, RuntimeError) as error:
        raise ConfigError(f"optimizer: {error}") from error
    return make(config, "optimizer")
