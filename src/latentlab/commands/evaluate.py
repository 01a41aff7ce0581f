"""Measure a finished run: `latentlab evaluate outputs/runs/FOLDER suite=full`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from latentlab.commands.run_folder import with_folder
from latentlab.config import run_hydra
from latentlab.errors import ConfigError
from latentlab.processes.signals import interruptible
from latentlab.runs import Run
from latentlab.runs.lock import held

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from latentlab.evaluation.measurements import Measurement


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "evaluate", arguments, lambda given: with_folder("evaluate", given))


def job(config: DictConfig) -> None:
    """Evaluate one run; called by Hydra with the composed config."""
    from latentlab.training.restore import refuse_incomplete

    run = Run(config.run)
    refuse_incomplete(run)
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.evaluation.evaluate_run")
    from latentlab.evaluation.evaluate_run import evaluate_run
    from latentlab.training.restore import reopened_loggers, trusted_config

    own = {name: _measurement(config, f"measurements.{name}") for name in config.get("measurements") or {}}
    with held(run.folder), interruptible():
        of_run = trusted_config(run)
        evaluate_run(
            run,
            of_run,
            config.suite,
            config.paths.output_dir,
            reopened_loggers(run, of_run),
            quiet=config.quiet if config.quiet is not None else not sys.stdout.isatty(),
            samples=config.samples,
            device=config.device,
            root=config.data_root,
            own=own,
        )


def _measurement(config: DictConfig, key: str) -> Measurement:
    from latentlab.config.instantiation import make

    made = make(config, key, object)
    if not callable(made):
        raise ConfigError(f"{key}: expected a function of the subject (_partial_: true), found {type(made).__name__}")
    return made
