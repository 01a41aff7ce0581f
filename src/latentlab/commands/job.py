"""One run, from a composed config to its metrics: the function that Hydra calls."""

from __future__ import annotations

import logging
import math
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from latentlab.errors import ConfigError, Interrupted, Pruned
from latentlab.processes.launcher import is_first, started_by_a_launcher, was_requeued
from latentlab.processes.processor import has_bfloat16
from latentlab.processes.signals import forward, interruptible
from latentlab.runs import Run
from latentlab.runs.format import other_version
from latentlab.runs.identity import override_key
from latentlab.sweeps.orphaned import ended_with_its_launcher
from latentlab.training.restore import refuse_other_config

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def job(config: DictConfig) -> float:
    """Train one run; returns the best epoch's validation objective, which a Hydra sweeper may minimise."""
    try:
        with ended_with_its_launcher(), interruptible():  # already here: the training's imports take seconds
            return _objective(_run(config))
    except Pruned as reason:
        log.info("stopped early: %s", reason)
        return math.nan
    except Exception as error:
        _write_reason(Run(config.paths.run_dir), error)
        raise
    except Interrupted as stop:
        forward(stop.signal_number)
        raise


def refuse_unsound(config: DictConfig) -> None:
    """Raise ConfigError where the config of a new run cannot serve, before the data is loaded and a folder is made."""
    if not config.resume:  # whose config comes out of a folder, and is not trusted yet
        _refuse_taken_folder(config)
        _check(config)


def _refuse_taken_folder(config: DictConfig) -> None:
    """Before Hydra writes the new run's config into it."""
    run = Run(config.paths.run_dir)
    if is_first() and not was_requeued() and run.holds_anything:
        status = run.status["status"]
        resume = f"continue it by resume={run.folder}"
        ways = {"interrupted": resume, "complete": resume, "running": "wait for its end"}
        way_on = ways.get(status, "delete it")
        key = "hydra.run.dir" if config.name is None else "name"
        raise ConfigError(
            f"{key}: {run.folder} holds a run already (status: {status}); {way_on}, or choose another name"
        )


def _run(config: DictConfig) -> dict[str, Any]:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if in_sweep and is_first():
        log.info("job %s", config.sweep.job or Run(config.paths.run_dir).folder.name)
    if not in_sweep and is_first() and (left := _left_of_sweep()):
        log.warning("this trains one model of a sweep over %s; all of them: latentlab train -m ...", "  ".join(left))
    is_given = bool(config.resume) and not in_sweep
    if in_sweep or (was_requeued() and not config.resume):
        config.resume = _resumed(Run(config.paths.run_dir), config)
    if config.resume and is_first() and (line := other_version(Run(config.resume), "resume")):
        log.info("%s", line)
    if is_given:
        refuse_other_config(Run(config.resume), config)
    return _trained(config, in_sweep)


def _left_of_sweep() -> list[str]:
    """The overrides of a sweep that a recipe describes and this run, which is in none, was not given a value for."""
    from hydra.core.hydra_config import HydraConfig

    hydra = HydraConfig.get()
    given = {override_key(line) for line in hydra.overrides.task}
    described = [f"{key}={values}" for key, values in (hydra.sweeper.get("params") or {}).items()]
    return [line for line in described if override_key(line) not in given]


def _write_reason(run: Run, error: Exception) -> None:
    """Record why a run failed before its training wrote a status."""
    if is_first() and run.folder.is_dir() and not run.status_file.is_file():
        with suppress(OSError):
            run.write_status("failed", f"{type(error).__name__}: {error}")


def _resumed(run: Run, config: DictConfig) -> str | None:
    """The folder, if the run in it is to be resumed."""
    from latentlab.runs.lock import held
    from latentlab.runs.resume_state import should_resume

    if not is_first():
        return str(run.folder) if should_resume(run, config, may_clear=False) else None
    with held(run.folder):
        return str(run.folder) if should_resume(run, config) else None


def _trained(config: DictConfig, in_sweep: bool) -> dict[str, Any]:
    several = config.trainer.devices not in (1, "1", [0])
    if in_sweep and several and not started_by_a_launcher():
        from latentlab.sweeps.own_process import train_in_own_process

        return train_in_own_process(config)

    if in_sweep or config.resume:  # else checked by `refuse_unsound`
        _check(config)
    if in_sweep and config.trainer.accelerator in ("auto", "gpu", "cuda"):
        from latentlab.sweeps.own_gpu import use_own_gpu

        use_own_gpu()
    from latentlab.commands.experiment import train

    quiet = config.quiet if config.quiet is not None else in_sweep or not sys.stdout.isatty()
    if not quiet and is_first() and _could_use_bfloat16(config):
        log.info("this processor has bfloat16: trainer=cpu_bf16 may be faster, most of all with large batches")
    return train(config, quiet=quiet)


def _check(config: DictConfig) -> None:
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.commands.experiment")
    from latentlab.training.checks import check

    check(config)


def _could_use_bfloat16(config: DictConfig) -> bool:
    """Whether a training in float32 on the CPU begins, of a processor that is faster with bfloat16."""
    import torch

    on_cpu = config.trainer.accelerator == "cpu" or (
        config.trainer.accelerator == "auto" and not torch.accelerator.is_available()
    )
    return on_cpu and "16" not in str(config.trainer.get("precision")) and not config.resume and has_bfloat16()


def _objective(metrics: dict[str, Any]) -> float:
    """NaN where nothing was validated, as by trainer.limit_val_batches=0."""
    objective = metrics["metrics"].get("val/objective_final")
    return math.nan if objective is None else objective
