"""A model of the shipped configs, for the user's own training script."""

from __future__ import annotations

import json
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from latentlab.commands.python.arguments import expect_whole_number, refuse_other_than, refuse_other_than_texts
from latentlab.commands.python.process import as_the_command_line
from latentlab.config.command_line import composed
from latentlab.errors import ConfigError
from latentlab.models.base import Autoencoder
from latentlab.training.build import OF_A_MODEL, build_class, build_model

if TYPE_CHECKING:
    from omegaconf import DictConfig

UNITS = 20


def build(
    model: str | type[Autoencoder],
    *overrides: str,
    image_shape: tuple[int, int, int],
    num_classes: int = 0,
    latent_dim: int | None = None,
    net: str | None = None,
    config_dir: str | Path | None = None,
    **options: Any,
) -> Autoencoder:
    """A LightningModule with fresh weights, drawn by torch's global generator.

    Lightning's Trainer trains it on batches of any DataLoader: x, (x,), (x, y) or {"image": x, "label": y}, with images
    x as floats (B, C, H, W) in [0, 1], and logs what a run logs.

    model: the variant, such as "vae", or a class of your own.
    overrides: further ones of the groups model, net, likelihood, optimizer and scheduler, such as "optimizer.lr=1e-4".
    image_shape: (C, H, W).
    num_classes: of the labels, for a conditional variant.
    latent_dim, net: "model.latent_dim" and "net"; None: those of the configs, and 20 units for a class of your own.
    config_dir: a folder of further configs.
    options: arguments of the variant, such as `beta=2.0`.

    Raises:
        UserError: a mistake in the overrides, or parts that do not fit each other.
        TypeError: a class of your own takes no such option.
    """
    refuse_other_than_texts(overrides)
    refuse_other_than((str, type), "the name of a variant, such as 'vae', or a class", model=model)
    refuse_other_than((str, NoneType), "a text", net=net)
    refuse_other_than((str, PathLike, NoneType), "a folder", config_dir=config_dir)
    num_classes = expect_whole_number("num_classes", num_classes)
    refuse_other_than(Iterable, "(channels, height, width)", image_shape=image_shape)
    shape = tuple(expect_whole_number(f"image_shape[{index}]", size) for index, size in enumerate(image_shape))
    if len(shape) != 3 or min(shape) < 1:
        raise ConfigError(f"image_shape: expected (channels, height, width), found {image_shape}")
    given = [*overrides, *([] if net is None else [f"net={net}"])]
    if twice := [text for text in overrides if text.startswith("model=") or (net and text.startswith("net="))]:
        raise ConfigError(f"{twice[0]}: given twice; leave one out")
    units = {} if latent_dim is None else {"latent_dim": expect_whole_number("latent_dim", latent_dim)}
    options = units | options
    written = {name: _written(name, value) for name, value in options.items()}
    if num_classes < 0:
        raise ConfigError(f"num_classes: expected 0 or more, found {num_classes}")
    if not isinstance(model, str):
        plain = {name: json.loads(text) for name, text in written.items()}
        return build_class(_config(given, config_dir), model, {"latent_dim": UNITS, **plain}, shape, num_classes)
    given += [f"model={model}", *(f"model.{name}={value}" for name, value in written.items())]
    return build_model(_config(given, config_dir), shape, num_classes)


def _written(name: str, value: object) -> str:
    """An option of the variant as JSON."""
    if name in OF_A_MODEL:
        raise ConfigError(f"{name}: expected as a text of its own, such as '{name}=NAME', found {name}={value!r}")
    try:
        return json.dumps(value, default=lambda number: number.item())
    except (TypeError, AttributeError, ValueError) as error:
        way_out = f"a part of the model is chosen by a text such as 'model/{name}=NAME'"
        raise ConfigError(f"{name}: expected a number, a text, a list or None, found {value!r}; {way_out}") from error


def _config(given: list[str], config_dir: str | Path | None) -> DictConfig:
    for text in given:
        if not text.lstrip("+~").startswith(OF_A_MODEL):
            expected = f"an override of {', '.join(OF_A_MODEL)}; the rest is your Trainer's and data's"
            raise ConfigError(f"{text}: expected {expected}")
    with as_the_command_line(["train", *given]):
        config = composed("train", [*given, "data=digits", "trainer=default"], config_dir)
    if "fused" in config.optimizer and not any(text.startswith("optimizer.fused=") for text in given):
        config.optimizer.fused = None  # Lightning clips no gradients of a fused optimizer in mixed precision
    config.trainer = {}
    return config
