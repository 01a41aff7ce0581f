"""A composed config -> data, model, callbacks, loggers and trainer: the only module that assembles components."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import AdvancedProfiler, SimpleProfiler
from omegaconf import DictConfig, OmegaConf
from torch.optim import Optimizer

from latentlab.config.instantiation import class_at, make, make_each, make_with
from latentlab.config.trusted import refuse_foreign_code
from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError
from latentlab.functional.distributions import Likelihood
from latentlab.functional.schedules import RateSchedule
from latentlab.models.base import Autoencoder, Model
from latentlab.models.nets.base import Decoder, Encoder
from latentlab.models.parts import Parts
from latentlab.processes.launcher import started, started_by_a_launcher
from latentlab.training.checkpoints import WholeCheckpoints
from latentlab.training.execution import Execution

# done by the model or a callback instead of Lightning, as a call holds several steps
NOT_LIGHTNINGS = ("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm", "max_time")
PROFILERS = {"simple": SimpleProfiler, "advanced": AdvancedProfiler}  # their tables are files of the run's folder
OF_A_MODEL = ("model", "net", "likelihood", "optimizer", "scheduler")  # parts of a config
PROCESSES_PER_CORE = 4  # Lightning would start any number, and overload the machine


def build_data(config: DictConfig) -> ImageDataModule:
    """The datamodule, loaded, so that image shape and classes are known.

    Raises:
        ConfigError: a value out of range.
        DataError: the data is missing or damaged.
    """
    data = make(config, "data", ImageDataModule)
    data.prepare_data()
    data.setup("fit")
    return data


def build_model(config: DictConfig, image_shape: tuple[int, int, int], num_classes: int) -> Autoencoder:
    """The variant with its networks, sized for the images.

    Raises:
        ConfigError: components that do not fit each other.
    """
    variant = class_at(config, "model", Autoencoder)
    parts = build_parts(config, variant, config.model.latent_dim, image_shape, num_classes)
    model = make_with(config, "model", Autoencoder, parts)
    return recorded(model, config)


def recorded(model: Model, config: DictConfig) -> Model:
    """The model, whose checkpoints hold what it was built from: `load_from_checkpoint` needs no arguments."""
    plain = {key: OmegaConf.to_container(config[key], resolve=True) for key in OF_A_MODEL}
    built = {"image_shape": list(model.image_shape), "num_classes": model.num_classes, "builder": __name__}
    model.save_hyperparameters({"config": plain, **built}, logger=False)
    return model


def build_parts(
    config: DictConfig,
    variant: type[Autoencoder],
    latent_dim: int,
    image_shape: tuple[int, int, int],
    num_classes: int,
) -> Parts:
    """What a variant is constructed from, sized for the images.

    Raises:
        ConfigError: components that do not fit each other.
    """
    if latent_dim < 1:
        raise ConfigError(f"model.latent_dim: expected at least 1, found {latent_dim}")
    condition = num_classes if variant.conditional else 0
    options = _training_options(config.trainer)
    tried_optimizer(config)  # so that an invalid option is reported before any training
    likelihood = make(config, "likelihood", Likelihood)
    encoder = make_with(
        config,
        "net.encoder",
        Encoder,
        image_shape=image_shape,
        features=variant.parameters_per_latent * latent_dim,
        condition_features=condition,
    )
    decoder = make_with(
        config, "net.decoder", Decoder, features=latent_dim, image_shape=image_shape, condition_features=condition
    )
    return Parts(
        encoder=encoder,
        decoder=decoder,
        likelihood=likelihood,
        optimizer=make(config, "optimizer", partial),
        rate=make(config, "scheduler", RateSchedule),
        image_shape=image_shape,
        num_classes=num_classes,
        **options,
    )


def rebuilt(built: Mapping[str, Any], source: object, variant: type[Autoencoder] = Autoencoder) -> Autoencoder:
    """The model that was built, from the hyperparameters in its checkpoint.

    variant: the class that is asked for; where it is the one that they name, no module needs to hold it.

    Raises:
        UserError: they name another class that is no component of a model.
    """
    node: dict[str, Any] = dict(built["config"]["model"])
    is_asked_for = node.pop("_target_") == target_of(variant) and not any(isinstance(v, dict) for v in node.values())
    refuse_foreign_code({**built["config"], **({"model": {}} if is_asked_for else {})}, source)
    config, shape = OmegaConf.create({**built["config"], "trainer": {}}), tuple(built["image_shape"])
    if is_asked_for:
        return build_class(config, variant, node, shape, built["num_classes"])
    return build_model(config, shape, built["num_classes"])


def build_class(
    config: DictConfig,
    variant: type[Model],
    options: Mapping[str, Any],
    image_shape: tuple[int, int, int],
    num_classes: int,
) -> Model:
    """A variant that is given as its class. options: the arguments of its constructor, of plain types.

    Raises:
        ConfigError: components that do not fit each other.
    """
    parts = build_parts(config, variant, options["latent_dim"], image_shape, num_classes)
    config.model = {"_target_": target_of(variant), **options}
    return recorded(variant(parts, **options), config)


def target_of(variant: type[Autoencoder]) -> str:
    """The dotted name of a class."""
    return f"{variant.__module__}.{variant.__qualname__}"


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
    if config.trainer.get("profiler") in PROFILERS:
        arguments["profiler"] = PROFILERS[config.trainer.profiler](config.paths.run_dir, "profile")
    try:
        trainer = make_with(node, "trainer", Trainer, **arguments, **options)
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
    given = make(config, "trainer.plugins", object) if config.trainer.get("plugins") else []
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


def tried_optimizer(config: DictConfig) -> Optimizer:
    """The optimizer of one parameter.

    Raises:
        ConfigError: an option that it refuses.
    """
    try:
        return make_with(config, "optimizer", Optimizer, [torch.nn.Parameter(torch.zeros(1))])
    except (TypeError, RuntimeError) as error:
        raise ConfigError(f"optimizer: {error}") from error
