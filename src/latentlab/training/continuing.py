"""The checkpoint that a resumed training continues from, and the checks of it."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from latentlab.data.base import ImageDataModule
from latentlab.errors import UserError
from latentlab.models.base import Autoencoder
from latentlab.runs import Run, layout
from latentlab.runs.documents import Damaged
from latentlab.runs.identity import differences, plain_config
from latentlab.training.checkpoints import fits, holds_a_training, read_checkpoint
from latentlab.training.restore import refuse_other_images

OTHER_CHECKPOINT = "replace it by another checkpoint of this run, such as best.ckpt, or start a new run"

log = logging.getLogger(__name__)


def refuse_lost_checkpoint(run: Run) -> None:
    """Raise UserError where a resumed training has no checkpoint, but epochs that it would overwrite."""
    if run.last_checkpoint is None:
        if run.metrics is not None or run.best_checkpoint is not None or _epochs(run) > 1:
            last = f"{layout.CHECKPOINTS}/{layout.LAST}{layout.CHECKPOINT_SUFFIX}"
            raise UserError(
                f"resume: {run.folder} lacks {last}, from which it continues; "
                "start a new run, from its best weights by initial_weights=FOLDER"
            )
        log.info("%s has no checkpoint yet: it begins with the first epoch", run.folder)


def _epochs(run: Run) -> float:
    """How many the learning curves have; a fraction where a validation was within an epoch."""
    with suppress(Damaged):
        return max(run.read_history()[0], default=0.0)
    return 0.0


def refuse_unfit(checkpoint: Path, run: Run, data: ImageDataModule, model: Autoencoder) -> None:
    """Raise UserError where a training cannot continue from it, or from the best one, which is tested at its end."""
    for file in dict.fromkeys((checkpoint, run.best_checkpoint or checkpoint)):
        content = read_checkpoint(file, OTHER_CHECKPOINT)
        of_data = content.get(type(data).__qualname__) or {}
        trained_on = of_data.get("fingerprint")
        way_out = ": test images may be among those of its training; start a new run, in a sweep with data.name=NAME"
        refuse_other_images(data, trained_on, f"resume: {run.folder}", way_out)
        if not fits(content, model):
            raise UserError(f"resume: {file} does not fit the model of this run; {OTHER_CHECKPOINT}")
        for key, (expected, found) in _other_settings(content, of_data.get("seed"), run).items():
            raise UserError(
                f"resume: {file} is of another run: expected {key}={expected}, found {found}; {OTHER_CHECKPOINT}"
            )
        if file == checkpoint and not holds_a_training(content):
            raise UserError(f"resume: {file} is damaged, or holds weights alone; {OTHER_CHECKPOINT}")


def _other_settings(content: Mapping[str, Any], seed: int | None, run: Run) -> dict[str, tuple[Any, Any]]:
    """{key: its value in the run, that in the checkpoint} of the model and the seed, where they differ."""
    config = plain_config(run.config)
    saved = (content.get("hyper_parameters") or {}).get("config") or {}
    own = {key: config.get(key) for key in saved}
    if seed is not None and "seed" in config["data"]:  # until 0.2.0 it was not saved
        saved, own = {**saved, "seed": seed}, {**own, "seed": config["data"]["seed"]}
    return differences(own, saved)
