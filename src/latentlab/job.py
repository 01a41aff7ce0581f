"""One run, from a composed config to its figures; what the entry points hand to Hydra."""

from __future__ import annotations

import logging
import math
import sys
from typing import TYPE_CHECKING, Any

from latentlab.errors import Pruned

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def job(config: DictConfig) -> float:
    """One run; returns the best epoch's validation objective, for whoever searches over it."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from latentlab.lock import held
    from latentlab.runs import Run
    from latentlab.standing import goes_on

    in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if in_sweep:
        run = Run(config.paths.run_dir)
        log.info("job %s", config.sweep.job or run.folder.name)
        with held(run.folder):
            config.resume = str(run.folder) if goes_on(run, config) else None
    elif config.resume:
        Run(config.resume).refuse_other_config(config)
    try:
        return _objective(_trained(config, in_sweep))
    except Pruned as reason:
        log.info("stopped early: %s", reason)
        return math.nan


def _trained(config: DictConfig, in_sweep: bool) -> dict[str, Any]:
    if in_sweep and config.trainer.devices not in (1, "1", [0]):
        from latentlab.own_process import train_in_own_process

        return train_in_own_process(config)

    from latentlab.torch_build import require_one_build

    require_one_build()
    from latentlab.training import train

    quiet = config.quiet if config.quiet is not None else in_sweep or not sys.stdout.isatty()
    return train(config, quiet=quiet)


def _objective(metrics: dict[str, Any]) -> float:
    """NaN where nothing was validated, as by trainer.limit_val_batches=0."""
    objective = metrics["metrics"].get("val/objective_final")
    return math.nan if objective is None else objective
