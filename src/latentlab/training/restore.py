"""A model restored from its run's folder, and the checks of a folder before its config is used."""

from __future__ import annotations

import pickle
from importlib.metadata import version
from typing import TYPE_CHECKING

from latentlab.config import trusted
from latentlab.errors import ConfigError, UserError
from latentlab.runs import Run
from latentlab.runs.identity import identifying, plain_config

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from latentlab.models.base import Autoencoder


def load_model(run: Run) -> Autoencoder:
    """The trained model: rebuilt from the config, with the best checkpoint's weights, on the CPU, in eval mode.

    Raises:
        UserError: the folder is no run's, or holds no checkpoint that fits and can be read.
    """
    import torch

    from latentlab.training.build import build_model

    file = run.best_checkpoint or run.last_checkpoint
    if file is None:
        raise UserError(f"{run.folder} holds no checkpoint; train it first: latentlab train resume={run.folder}")
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        data = checkpoint["data"]
    except (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(f"{file} is damaged ({type(error).__name__}); train the run again") from error
    refuse_foreign_code(run)
    model = build_model(run.config, tuple(data["image_shape"]), data["num_classes"])
    try:
        model.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise UserError(f"{file} does not fit the model of the run's own config; train it again") from error
    return model.eval()


def refuse_foreign_code(run: Run) -> None:
    """Raise UserError where the config names a class or function that is no part of a run: it would be called."""
    trusted.refuse_foreign_code(plain_config(run.config), run.config_file)


def refuse_unfit_for_evaluation(run: Run) -> None:
    """Raise UserError where the run is not complete, or was made by another version of latentlab."""
    metrics = run.metrics
    if metrics is None:
        raise UserError(
            f"run: {run.folder} is not complete (status: {run.status['status']}); "
            f"finish it first: latentlab train resume={run.folder}"
        )
    made_by, here = metrics.get("versions", {}).get("latentlab"), version("latentlab")
    if made_by != here:
        raise UserError(
            f"run: {run.folder} was made by latentlab {made_by}, this is {here}; "
            f"evaluate it with latentlab {made_by}, or train it again"
        )


def refuse_other_config(run: Run, config: DictConfig) -> None:
    """Raise ConfigError where `config` is another experiment than this run; only the number of epochs may grow.

    What does not count, such as the loggers, may differ, but comes out of the folder too: see `refuse_foreign_code`.
    """
    trusted.refuse_foreign_code(plain_config(config), "resume")
    saved, given = identifying(run.config), identifying(config)
    keys = sorted(saved.keys() | given.keys(), key=lambda key: (key.count("."), key))  # seed before data.seed
    for key in keys:
        if key != "trainer.max_epochs" and saved.get(key) != given.get(key):
            raise ConfigError(
                f"{key}: the run to resume has {saved.get(key)!r}, found {given.get(key)!r}; "
                "leave it as it was, or start a new run"
            )
