"""Evaluation of a run from its folder, with the open loggers of its training or with reopened ones."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig

from latentlab.errors import ConfigError
from latentlab.evaluation.measured_run import evaluate
from latentlab.evaluation.measurements import Measurement
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, SuiteName
from latentlab.processes.tuning import tuned_process
from latentlab.runs import Run
from latentlab.training.restore import load_data, load_model

log = logging.getLogger(__name__)


@tuned_process()
def evaluate_run(
    run: Run,
    config: DictConfig,
    suite: SuiteName,
    outputs: str,
    loggers: AbstractContextManager[Sequence[Logger]],
    *,
    quiet: bool,
    samples: int | None = None,
    device: str = "auto",
    root: str | None = None,
    own: Mapping[str, Measurement] = MappingProxyType({}),
) -> dict[str, Any]:
    """Compute the metrics and pictures of a complete run; returns the new content of its `metrics.json`.

    config: the run's, see `trusted_config`.
    outputs: the folder below which the reference classifier and the reference denoisers are kept.
    loggers: those of its training, or those that are opened again once model and data are loaded.
    samples: codes per image for the log-likelihood, instead of the suite's number.
    root: the folder of the data, if it has moved since the training.
    own: the user's own measurements by name: functions of the `Subject` that yield (name, value).

    Raises:
        UserError: the run, its data or the device cannot be used.
    """
    if samples is not None and samples < 1:
        raise ConfigError(f"samples: expected at least 1, found {samples}")
    torch.set_float32_matmul_precision("highest")  # also for a run that was trained with less
    data, model = load_data(run, config, root), load_model(run, config)
    model = model.to(_device(device)).to(memory_format=torch.channels_last)
    with loggers as opened:
        name, codes = run.folder.resolve().name, samples or SUITES[suite].samples
        subject = Subject(model, data, name, run.tested_weights, codes, Path(outputs))
        try:
            metrics = evaluate(run, subject, suite, own, opened, quiet)
        except (KeyboardInterrupt, SystemExit):
            log.warning("stopped: this evaluation is not complete; the same command repeats it")
            raise
    log.info("all metrics: %s/metrics.json; pictures: %s/figures/evaluation_*.png", run.folder, run.folder)
    return metrics


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("measurements need float64")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"device: expected auto, or a device of this machine such as cpu or cuda:0, found {name}"
        ) from error
    return device
