"""What a run says of itself in the log, at its beginning and at its end."""

import logging
import shlex
from collections.abc import Mapping
from pathlib import Path

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks.early_stopping import EarlyStopping, EarlyStoppingReason
from omegaconf import DictConfig

from latentlab.data.base import ImageDataModule
from latentlab.functional.schedules import FINAL_STEP
from latentlab.models.base import Autoencoder
from latentlab.runs import Run
from latentlab.runs.layout import FIGURES

log = logging.getLogger(__name__)


def log_early_stopping(trainer: Trainer) -> None:
    """A line where a callback ended the training, as Lightning says nothing of it."""
    for callback in trainer.early_stopping_callbacks:
        if isinstance(callback, EarlyStopping) and callback.stopping_reason != EarlyStoppingReason.NOT_STOPPED:
            epoch, monitor, best = callback.stopped_epoch + 1, callback.monitor, float(callback.best_score)
            log.info("early stopping in epoch %d: %s was not better than %.5g again", epoch, monitor, best)


def beginning(config: DictConfig, data: ImageDataModule, model: Autoencoder, parameters: int, device: str) -> str:
    """A line each of variant, network, data and device."""
    channels, height, width = data.image_shape
    splits = {"training": data.train, "validation": data.validation, "test": data.test}
    counts = ", ".join(f"{len(images.labels):,} {name}" for name, images in splits.items())
    colour, classes = "grey" if channels == 1 else "colour", data.num_classes or "no"
    weights = " + ".join(f"{weight:g} {term}" for term, weight in model.weights(FINAL_STEP).items())
    rows = {
        "variant": f"{type(model).__name__}, {model.latent_dim} latent units, minimises {weights}",
        "network": f"{type(model.encoder).__name__} and {type(model.decoder).__name__}, {parameters:,} parameters",
        "data": f"{data.name}: {counts} images of {height}x{width} pixels, {colour}, {classes} classes",
        "device": f"{device}, precision {config.trainer.get('precision') or '32-true'}, seed {config.seed}",
    }
    return _table("training", rows)


def metrics_table(metrics: Mapping[str, float]) -> str:
    """The final metrics, one per line."""
    return _table("tested", {name: f"{value:>12.5g}" for name, value in metrics.items()})


def ending(run: Run, is_evaluated: bool) -> str:
    """Where everything is, and what comes next."""
    here, folder = Path.cwd(), run.folder.absolute()
    folder = folder.relative_to(here) if folder.is_relative_to(here) else folder
    rows = {"run": str(folder)}
    if run.figures:
        rows["pictures"] = str(folder / FIGURES)
    rows["next"] = f"latentlab {'export' if is_evaluated else 'evaluate'} {shlex.quote(str(folder))}"
    return _table("complete", rows)


def _table(title: str, rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join([title, *(f"  {name:{width}}  {text}" for name, text in rows.items())])
