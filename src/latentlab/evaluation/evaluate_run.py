"""Evaluation of a run from its folder, with the open loggers of its training or with reopened ones."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from lightning.pytorch.loggers import Logger

from latentlab.errors import ConfigError
from latentlab.evaluation.measured_run import evaluate
from latentlab.evaluation.measurements import Measurement
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, SuiteName
from latentlab.processes.allocator import keep_freed_memory
from latentlab.runs import Run
from latentlab.training.restore import load_data, load_model, reopened_loggers

log = logging.getLogger(__name__)


def evaluate_run(
    run: Run,
    suite: SuiteName,
    outputs: str,
    *,
    quiet: bool,
    loggers: Sequence[Logger] | None = None,
    samples: int | None = None,
    device: str = "auto",
    root: str | None = None,
    own: Mapping[str, Measurement] = MappingProxyType({}),
) -> dict[str, Any]:
    """Compute the metrics and pictures of a complete run; returns the new content of its `metrics.json`.

    outputs: the folder below which the reference classifier and the reference denoisers are kept.
    loggers: the open loggers of its training; None: the loggers of the run's config are reopened.
    samples: codes per image for the log-likelihood, instead of the suite's number.
    root: the folder of the data, if it has moved since the training.
    own: the user's own measurements by name: functions of the `Subject` that yield (name, value).

    Raises:
        UserError: the run, its data or the device cannot be used.
    """
    if samples is not None and samples < 1:
        raise ConfigError(f"samples: expected at least 1, found {samples}")
    keep_freed_memory()
    torch.set_float32_matmul_precision("highest")  # also for a run that was trained with less
    data, model = load_data(run, root), load_model(run).to(_device(device)).to(memory_format=torch.channels_last)
    with reopened_loggers(run) if loggers is None else nullcontext(loggers) as opened:
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
