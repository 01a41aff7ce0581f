"""Train one model, or a sweep of them: `python -m latentlab.train model=vae net=mlp data=mnist`.

Nothing here imports torch before the config is known to be sound, so that a typing mistake is answered at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from latentlab.cli import run_hydra
from latentlab.errors import UserError
from latentlab.resume import resuming_arguments

if TYPE_CHECKING:
    from omegaconf import DictConfig


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        arguments = resuming_arguments(sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
    sys.exit(run_hydra(job, "train", arguments))


def job(config: DictConfig) -> float:
    """One run; returns the best epoch's validation objective, for whoever searches over it."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from latentlab.runs import Run

    if config.resume:
        Run(config.resume).refuse_other_config(config)
    in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if in_sweep and config.trainer.devices not in (1, "1", [0]):
        from latentlab.own_process import train_in_own_process

        return _objective(train_in_own_process(config))

    from latentlab.torch_build import require_one_build

    require_one_build()
    from latentlab.training import train

    quiet = config.quiet if config.quiet is not None else in_sweep or not sys.stdout.isatty()
    return _objective(train(config, quiet=quiet))


def _objective(metrics: dict) -> float:  # type: ignore[type-arg]
    return metrics["metrics"]["val/objective_final"]


if __name__ == "__main__":
    main()
