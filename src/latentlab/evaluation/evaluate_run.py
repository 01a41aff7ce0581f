"""Evaluate a run from its folder, with the open loggers of its training, or later with reopened ones."""

import logging
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig

from latentlab.data.base import ImageDataModule
from latentlab.errors import ConfigError, UserError
from latentlab.evaluation.measured_run import evaluate
from latentlab.evaluation.subject import Subject
from latentlab.evaluation.suites import SUITES, SuiteName
from latentlab.processes.allocator import keep_freed_memory
from latentlab.runs import Run
from latentlab.training.build import build_data, build_each
from latentlab.training.restore import load_model, refuse_foreign_code
from latentlab.training.tracking import close_boards, finish_wandb

log = logging.getLogger(__name__)

# it would delete the file of the training
NOT_REOPENED = "lightning.pytorch.loggers.CSVLogger"


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
) -> dict[str, Any]:
    """Measure and draw a complete run; returns the new content of its `metrics.json`.

    outputs: the folder below which the reference classifier is kept.
    loggers: those of its training while they are open; by default the run's own are reopened.
    samples: codes per image for the log-likelihood, instead of the suite's number.
    root: the folder of the data, if it has moved since the training.

    Raises:
        UserError: the run, its data or the device cannot be used.
    """
    if samples is not None and samples < 1:
        raise ConfigError(f"samples: expected at least 1, found {samples}")
    refuse_foreign_code(run)
    keep_freed_memory()
    data, model = _data(run, root), load_model(run).to(_device(device)).to(memory_format=torch.channels_last)
    torch.set_float32_matmul_precision("highest")  # also for a run that was trained with less
    name, weights = run.folder.resolve().name, "last" if run.best_checkpoint in (None, run.last_checkpoint) else "best"
    classifiers = Path(outputs) / "reference_classifiers"
    subject = Subject(model, data, name, weights, samples or SUITES[suite].samples, classifiers)
    if loggers is not None:
        metrics = evaluate(run, subject, suite, loggers, quiet)
    else:
        metrics = _evaluate_with_reopened_loggers(run, subject, suite, quiet)
    _log_summary(run, metrics)
    return metrics


def _evaluate_with_reopened_loggers(run: Run, subject: Subject, suite: SuiteName, quiet: bool) -> dict[str, Any]:
    exit_code = 1
    try:
        loggers = _reopened_loggers(run)
        metrics = evaluate(run, subject, suite, loggers, quiet)
        close_boards(loggers)
        exit_code = 0
    finally:
        finish_wandb(exit_code)
    return metrics


def _data(run: Run, root: str | None) -> ImageDataModule:
    config = deepcopy(run.config)
    if root is not None:
        config.data.root = root
    data = build_data(config)
    trained_on = (run.metrics or {}).get("data_fingerprint")
    if trained_on is not None and trained_on != data.fingerprint():
        raise UserError(
            f"run: {run.folder} was trained on other images than {data.name} now has (fingerprint "
            f"{trained_on}, found {data.fingerprint()}); give the folder of the same data as data_root=FOLDER"
        )
    return data


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


def _reopened_loggers(run: Run) -> list[Logger]:
    """The loggers of the run's config, which append to its folder and to its W&B run."""
    group = DictConfig({})
    for name, node in (run.config.get("logger") or {}).items():
        if node is not None and node._target_ != NOT_REOPENED:
            group[name] = {**node, "save_dir": str(run.folder)}  # the folder may have been moved
    if "wandb" in group:
        group.wandb.run_id = (run.metrics or {}).get("wandb_run_id")
    return build_each(DictConfig({"logger": group}), "logger")


def _log_summary(run: Run, metrics: dict[str, Any]) -> None:
    seconds = metrics["evaluation"]["seconds"]
    slowest = max(seconds, key=seconds.get, default="")
    log.info("evaluated in %.0f s, of which %.0f s for %s", sum(seconds.values()), seconds.get(slowest, 0), slowest)
    shown = ("nll", "nll_binarized", "linear_probe_error", "knn_error", "frechet_prior", "completeness", "mse_pca")
    found = {name: metrics["metrics"].get(f"test/{name}") for name in shown}
    log.info("%s", "  ".join(f"test/{name} {value:.5g}" for name, value in found.items() if value is not None))
    log.info("all metrics: %s/metrics.json; pictures: %s/figures/evaluation_*.png", run.folder, run.folder)
