"""Logs pictures and final metrics to the run's folder, TensorBoard and W&B.

A failure of W&B never stops a run. A picture is rendered once, and all loggers get the same pixels.
"""

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from matplotlib.figure import Figure
from matplotlib.image import imsave

from latentlab.figures.fonts import drawn
from latentlab.processes.launcher import is_first
from latentlab.runs.files import write_atomically
from latentlab.runs.layout import FIGURES
from latentlab.training.wandb_logger import SteadyWandbLogger, attempt, reason_of

log = logging.getLogger(__name__)

Pixels = UInt8[np.ndarray, "height width 3"]
WandbMode = Literal["online", "offline", "disabled"]

# TensorBoard drops columns where runs differ in their metrics, so all runs have these
HPARAMS_METRICS = ("test/objective", "test/mse", "test/bce", "test/kl", "test/elbo")
LOGIN_SECONDS = 5.0  # W&B itself waits up to 90 s
INIT_SECONDS = 15.0  # for a server that has just answered
FINISH_SECONDS = 120.0  # an upload that takes longer is left to `wandb sync`


def log_figure(
    loggers: Sequence[Logger], folder: Path | str, key: str, figure: Figure, step: int, kept_as: str | None = None
) -> None:
    """Render `figure` once; write `folder/figures/<key>.png`, with "_" for "/", and log the same pixels.

    kept_as: the name of a second file, in `folder/figures/<key>/`, which later pictures of the key do not replace.
    """
    pixels = _rendered(figure)
    latest = Path(folder) / FIGURES / f"{key.replace('/', '_')}.png"
    png = BytesIO()
    imsave(png, pixels, format="png")
    for file in (latest, *([] if kept_as is None else [latest.with_suffix("") / kept_as])):
        write_atomically(file, png.getbuffer())
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(key, pixels, step, dataformats="HWC")
        elif isinstance(logger, WandbLogger):
            import wandb

            # as bytes: W&B shows floats in [0, 1] as black
            shown = {key: wandb.Image(pixels), "trainer/global_step": step}
            attempt(logger, partial(logger.experiment.log, shown))


def log_hyperparameters(
    loggers: Sequence[Logger], config: Mapping[str, Any], metrics: Mapping[str, float], step: int = 0
) -> None:
    """Log a finished run's flat config with its final metrics; to be called once, at the end.

    TensorBoard's HParams gets the metrics of `HPARAMS_METRICS` alone, NaN where the run has none; they
    also become points of its curves, at `step`. W&B gets the config and a summary of all finite metrics.
    """
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            shown = {key: metrics.get(key, math.nan) for key in HPARAMS_METRICS}
            # written empty at the first epoch, and never again while it is there
            (Path(logger.log_dir) / TensorBoardLogger.NAME_HPARAMS_FILE).unlink(missing_ok=True)
            logger.log_hyperparams(dict(config), shown, step)
            logger.save()
        elif isinstance(logger, WandbLogger):
            logger.log_hyperparams(dict(config))
            finite = {k: v for k, v in metrics.items() if math.isfinite(v)}
            attempt(logger, partial(logger.experiment.summary.update, finite))


def wandb_logger(
    save_dir: Path | str,
    project: str,
    group: str | None,
    job_type: str | None,
    tags: Sequence[str],
    name: str | None = None,
    run_id: str | None = None,
) -> WandbLogger:
    """Lightning's logger of a W&B run in `save_dir`, which is open already where it is online.

    It is online where W&B finds a key and its server accepts it within a few seconds, and offline elsewhere; a log
    line reports which, and why. WANDB_MODE takes precedence. No state of the network makes it raise.

    save_dir: the folder of the files.
    project: the W&B project.
    group: under which W&B shows runs together; by default those of a sweep.
    job_type: the kind of run, by which W&B filters.
    tags: by which W&B filters.
    name: of the run, in W&B's lists.
    run_id: of an earlier run, which is continued; None: a new run.
    """
    import wandb

    folder = Path(save_dir)
    folder.mkdir(parents=True, exist_ok=True)  # W&B would write to a temporary folder instead
    logger = partial(
        SteadyWandbLogger,
        name,
        folder,
        id=run_id,
        project=project,
        group=group,
        job_type=job_type,
        tags=list(tags),
        settings=wandb.Settings(init_timeout=INIT_SECONDS, finish_timeout=FINISH_SECONDS),
    )
    # by `mode`, as Lightning's own `offline=True` sets WANDB_MODE for all later jobs of the process
    if not is_first():
        return logger(mode="disabled")
    mode, reason = _choose_mode()
    if mode == "online":
        try:
            online = logger(mode=mode)
            _ = online.experiment  # opens it
            log.info("W&B: online, %s", reason)
            return online
        except Exception as error:  # W&B documents no narrower type, and a run is worth more than its upload
            mode, reason = "offline", f"the run could not be opened: {reason_of(error)}"
    upload = f"; upload later: wandb sync {folder}/wandb/offline-run-*" if mode == "offline" else ""
    log.info("W&B: %s, %s%s", mode, reason, upload)
    return logger(mode=mode)


def wandb_run_id(loggers: Sequence[Logger]) -> str | None:
    """The id of the W&B run that is open; None where there is none."""
    for logger in loggers:
        if isinstance(logger, WandbLogger) and not logger.experiment.disabled:
            return logger.version
    return None


def flush(loggers: Sequence[Logger]) -> None:
    """Write what the loggers hold back; close TensorBoard's writers, each a thread and a file, until their next use."""
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.finalize("success")
        else:
            logger.save()


def _rendered(figure: Figure) -> Pixels:
    return np.asarray(drawn(figure).buffer_rgba())[..., :3].copy()


def _choose_mode() -> tuple[WandbMode, str]:
    """Whether W&B can upload, and why; answers within about `LOGIN_SECONDS`."""
    import wandb

    set_mode = wandb.setup().settings.mode
    if set_mode == "disabled":
        return "disabled", "WANDB_MODE or W&B's settings select it"
    if set_mode in ("offline", "dryrun"):
        return "offline", "WANDB_MODE or W&B's settings select it"
    outcome: list[bool | Exception] = []

    def log_in() -> None:
        try:
            outcome.append(wandb.login(prompt=False, verify=True))
        except Exception as error:
            outcome.append(error)

    # no time limit of W&B's own covers name look-up, connection and retries together
    thread = threading.Thread(target=log_in, name="wandb-login", daemon=True)
    thread.start()
    thread.join(LOGIN_SECONDS)
    match outcome:
        case []:
            return "offline", f"the server gave no answer within {LOGIN_SECONDS:.0f} s"
        case [True]:
            return "online", "the server accepted the key"
        case [Exception() as error]:
            return "offline", reason_of(error)
        case _:
            return "offline", "no key (set WANDB_API_KEY or run `wandb login`)"
