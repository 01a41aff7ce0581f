"""A model of the shipped configs, for the user's own training script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.errors import ConfigError

if TYPE_CHECKING:
    from latentlab.models.base import Autoencoder

GROUPS = ("model", "net", "likelihood", "optimizer", "scheduler")


def build(
    model: str,
    *overrides: str,
    image_shape: tuple[int, int, int],
    num_classes: int = 0,
    latent_dim: int | None = None,
    net: str | None = None,
    config_dir: str | Path | None = None,
) -> Autoencoder:
    """A LightningModule with fresh weights, drawn by torch's global generator.

    Lightning's Trainer trains it on batches of any DataLoader: x, (x,), (x, y) or {"image": x, "label": y}, with images
    x as floats (B, C, H, W) in [0, 1], and logs what a run logs.

    model: the variant, such as "vae".
    overrides: further ones of the groups model, net, likelihood, optimizer and scheduler, such as "model.beta=2".
    image_shape: (C, H, W).
    num_classes: of the labels, for a conditional variant.
    latent_dim, net: "model.latent_dim" and "net"; None: those of the configs.
    config_dir: a folder of further configs.

    Raises:
        UserError: a mistake in the overrides, or parts that do not fit each other.
    """
    from latentlab.commands.python.process import as_the_command_line
    from latentlab.config.command_line import composed
    from latentlab.training.build import build_model

    given = [f"model={model}", *overrides]
    given += [] if net is None else [f"net={net}"]
    given += [] if latent_dim is None else [f"model.latent_dim={latent_dim}"]
    for text in given:
        if not text.lstrip("+~").startswith(GROUPS):
            raise ConfigError(
                f"{text}: expected an override of {', '.join(GROUPS)}; the rest is your Trainer's and data's"
            )
    if len(image_shape) != 3 or min(image_shape) < 1:
        raise ConfigError(f"image_shape: expected (channels, height, width), found {image_shape}")
    with as_the_command_line(["train", *given]):
        config = composed("train", [*given, "data=digits", "trainer=default"], config_dir)
    if "fused" in config.optimizer and not any(text.startswith("optimizer.fused=") for text in given):
        config.optimizer.fused = None  # Lightning clips no gradients of a fused optimizer in mixed precision
    config.trainer = {}
    channels, height, width = image_shape
    return build_model(config, (channels, height, width), num_classes)
