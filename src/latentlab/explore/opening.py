"""Runs opened for the page: their models, and one copy of each data set."""

from collections.abc import Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig

from latentlab.data.base import ImageDataModule
from latentlab.errors import UserError
from latentlab.explore.latent_space import SHOWN, LatentSpace
from latentlab.explore.sweeps import MOST, names
from latentlab.runs import Run
from latentlab.training.restore import load_data, load_model, refuse_images_of_another_training, trusted_config


def open_runs(folders: Sequence[Path], data_root: str | None) -> list[LatentSpace]:
    """The latent space of each complete run.

    Raises:
        UserError: a run is damaged or of other images than the others, or there are
            too many.
    """
    if len(folders) > MOST:
        raise UserError(f"runs: expected at most {MOST}, found {len(folders)}; choose some of them")
    runs = [Run(folder) for folder in folders]
    torch.set_float32_matmul_precision("highest")
    loaded: list[tuple[DictConfig, ImageDataModule]] = []
    spaces = []
    for run, name in zip(runs, names(folders), strict=True):
        config = trusted_config(run)
        model = load_model(run, config)
        data = next((data for known, data in loaded if known == config.data), None)
        if data is None:
            data = load_data(run, config, data_root)
            loaded.append((config.data, data))
        else:
            refuse_images_of_another_training(data, run, config)
        space = LatentSpace(model, data, name, run.tested_weights)
        if not space.codes.z.isfinite().all():
            raise UserError(f"run: {run.folder} has codes that are not finite; train it again")
        spaces.append(space)
    if len({_test_images(space) for space in spaces}) > 1:
        raise UserError(
            "runs: expected runs of the same test images and labels, found different ones; open them one by one"
        )
    return spaces


def _test_images(space: LatentSpace) -> tuple[object, ...]:
    """What two runs of the same test images and labels have in common."""
    test = space.data.test
    first = test.part(torch.arange(min(SHOWN, len(test.labels)))).pixels
    return (space.data.name, space.classes, test.shape, len(test.labels), first.cpu().numpy().tobytes())
