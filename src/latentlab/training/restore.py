"""Model, data and loggers restored from a run's folder, and the checks of a folder before its config is used."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.config import schema, trusted
from latentlab.errors import ConfigError, MissingData, UserError
from latentlab.runs import Run
from latentlab.runs.documents import Damaged
from latentlab.runs.format import other_version
from latentlab.runs.identity import differences, plain_config
from latentlab.runs.resume_state import has_later_epochs, is_marked_complete

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger
    from omegaconf import DictConfig
    from torch import Tensor

    from latentlab.data.base import ImageDataModule
    from latentlab.models.base import Autoencoder

# reopening it would delete the file of the training
NOT_REOPENED = "lightning.pytorch.loggers.CSVLogger"

log = logging.getLogger(__name__)


def load_model(run: Run, config: DictConfig) -> Autoencoder:
    """The trained model: rebuilt from the config, with the best checkpoint's weights, on the CPU, in eval mode.

    config: the run's, see `trusted_config`.

    Raises:
        UserError: the folder is no run's, or holds no checkpoint that fits and can be read.
    """
    from latentlab.training.build import build_model
    from latentlab.training.checkpoints import fits

    missing = f"{run.folder} holds no checkpoint; train it first: latentlab train resume={run.folder}"
    file, checkpoint = _best_checkpoint(run, missing, "train the run again")
    data = checkpoint["data"]
    model = build_model(config, tuple(data["image_shape"]), data["num_classes"])
    if not fits(checkpoint, model):
        raise UserError(f"{file} does not fit the model of the run's own config; train it again")
    _refuse_untested(run, file, checkpoint, "train the run again")
    model.load_state_dict(checkpoint["state_dict"])
    return model.eval()


def weights_for(model: Autoencoder, run: Run) -> dict[str, Tensor]:
    """The weights of a run's best epoch, for a training of another one that starts from them.

    Raises:
        UserError: the folder is no run's, or holds no checkpoint that fits and can be read.
    """
    from latentlab.training.checkpoints import fits

    missing = f"initial_weights: {run.folder} holds no checkpoint; train it first, or choose another run"
    file, checkpoint = _best_checkpoint(run, missing, "choose another run as initial_weights")
    if not fits(checkpoint, model):
        raise UserError(
            f"initial_weights: {file} does not fit this model; expected a run of the same variant, network, "
            "prior and number of units on images of the same shape"
        )
    _refuse_untested(run, file, checkpoint, "choose another run as initial_weights")
    weights: dict[str, Tensor] = checkpoint["state_dict"]
    return weights


def _best_checkpoint(run: Run, missing: str, way_out: str) -> tuple[Path, dict[str, Any]]:
    """The file and the content of the best epoch's checkpoint, or of the last one where none is known as the best.

    Raises:
        UserError: there is none, with the text `missing`, or it is damaged, with the end `way_out`.
    """
    from latentlab.training.checkpoints import read_checkpoint

    file, tested = run.best_checkpoint or run.last_checkpoint, (run.metrics or {}).get("checkpoint")
    if file is None:
        raise UserError(missing)
    if run.best_checkpoint is None and tested is not None:
        raise UserError(f"{run.folder} lacks {tested}, whose weights were tested; {way_out}")
    return file, read_checkpoint(file, way_out)


def _refuse_untested(run: Run, file: Path, checkpoint: dict[str, Any], way_out: str) -> None:
    """Raise UserError, which ends in `way_out`, where the checkpoint holds other weights than those that were tested.

    Those of a run that was trained further, and not yet tested again, are newer.
    """
    from latentlab.models.checkpoint_file import weights_fingerprint

    recorded = None if has_later_epochs(run) else (run.metrics or {}).get("weights_fingerprint")
    if recorded is not None and recorded != weights_fingerprint(checkpoint["state_dict"]):
        if not is_marked_complete(run):  # further epochs were begun
            way_out = f"finish its training first: latentlab train resume={run.folder}"
        raise UserError(f"{file} holds other weights than those that the run tested; {way_out}")


def load_data(run: Run, config: DictConfig, root: str | None = None) -> ImageDataModule:
    """The data that the run was trained on, loaded.

    config: the run's, see `trusted_config`. root: the folder of its data, or its file of arrays, if it has moved since.

    Raises:
        UserError: it is missing, damaged, or holds other images than those of the training.
    """
    from latentlab.training.build import build_data

    if root is not None:
        config = config.copy()
        config.data["file" if "file" in config.data else "root"] = root
    try:
        data = build_data(config)
    except MissingData as error:
        raise MissingData(f"run: {run.folder}: {error.found}", _moved(config)) from error
    refuse_images_of_another_training(data, run, config)
    return data


def _moved(config: DictConfig) -> str:
    return f"give the place of the same data as data_root={'FILE' if 'file' in config.data else 'FOLDER'}"


def refuse_images_of_another_training(data: ImageDataModule, run: Run, config: DictConfig) -> None:
    """Raise UserError where the run, whose config it is, was trained on other images."""
    trained_on = (run.metrics or {}).get("data_fingerprint")
    refuse_other_images(data, trained_on, f"run: {run.folder}", f"; {_moved(config)}")


def refuse_other_images(data: ImageDataModule, trained_on: str | None, run: str, way_out: str) -> None:
    """Raise UserError where the images have another fingerprint than those of a run's training.

    trained_on: their fingerprint; None: it was not recorded. run: what the error calls the run. way_out: its end.
    """
    if trained_on is not None and trained_on != data.fingerprint():
        raise UserError(
            f"{run} was trained on other images than {data.name} now has (fingerprint {trained_on}, found "
            f"{data.fingerprint()}){way_out}"
        )


@contextmanager
def reopened_loggers(run: Run, config: DictConfig) -> Iterator[list[Logger]]:
    """The loggers of the run's config, which append to its folder and to its W&B run, open for a while."""
    from lightning.pytorch.loggers import Logger

    from latentlab.config.instantiation import make_each
    from latentlab.training.wandb_logger import finish_wandb

    config, exit_code = config.copy(), 1
    config.logger = {
        name: {**node, "save_dir": str(run.folder)}  # the folder may have been moved
        for name, node in (config.get("logger") or {}).items()
        if node is not None and node._target_ != NOT_REOPENED
    }
    if "wandb" in config.logger:
        config.logger.wandb.run_id = (run.metrics or {}).get("wandb_run_id")
    try:
        yield make_each(config, "logger", Logger)
        exit_code = 0
    finally:
        finish_wandb(exit_code)


def trusted_config(run: Run) -> DictConfig:
    """The run's config.

    Raises:
        UserError: it names a class or function that is no component of a run, and would be called.
    """
    config = run.config
    plain = plain_config(config)
    trusted.refuse_foreign_code(plain, run.config_file)
    try:
        schema.check(plain)
    except ConfigError as error:
        raise UserError(f"{run.config_file} is damaged ({error}); start a new run") from error
    return config


def refuse_incomplete(run: Run) -> None:
    """Raise UserError where the run is not complete, or is being trained further, or its folder has another format."""
    if run.metrics is None or has_later_epochs(run):
        raise UserError(
            f"run: {run.folder} is not complete (status: {run.status['status']}); "
            f"finish it first: latentlab train resume={run.folder}"
        )
    if line := other_version(run, "run"):
        log.info("%s", line)


def refuse_other_config(run: Run, config: DictConfig) -> None:
    """Raise ConfigError where `config` is another experiment than this run; only the number of epochs may differ.

    It may not be less than those that are trained already.

    What does not count, such as the loggers, may differ, but comes out of the folder too: see `trusted_config`.
    """
    trusted.refuse_foreign_code(plain_config(config), "resume")
    for key, (saved, given) in differences(run.config, config).items():
        if key != "trainer.max_epochs":
            raise ConfigError(
                f"{key}: the run to resume has {saved!r}, found {given!r}; leave it as it was, or start a new run"
            )
    trained, most = 0.0, config.trainer.max_epochs
    with suppress(Damaged):  # a history that cannot be read is no reason not to resume
        trained = max(run.read_history()[0], default=0.0)
    if run.metrics is None and most is not None and 0 <= most < trained:
        raise ConfigError(
            f"trainer.max_epochs: expected at least the {trained:g} that are trained already, found {most}"
        )
