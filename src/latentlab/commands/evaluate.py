"""Measure a finished run: `latentlab evaluate outputs/runs/FOLDER suite=full`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.config import run_hydra
from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError, UserError
from latentlab.processes.imports import import_quickly
from latentlab.runs import Run
from latentlab.runs.run import NOT_A_RUN

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from latentlab.evaluation.measurements import Measurement


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "evaluate", arguments, with_folder)


def with_folder(arguments: list[str]) -> list[str]:
    """The arguments, with the run's folder quoted (it may hold commas and equal signs) and set as the log's folder.

    Raises:
        UserError: no folder is named, or it is no run's.
    """
    configs, others = _config_dir(arguments)
    if any(argument.startswith("-") for argument in others):
        return arguments
    given = [argument for argument in others if _names_folder(argument)]
    if not given:
        raise ConfigError("run: missing; give its folder: latentlab evaluate outputs/runs/FOLDER")
    folder = bare(given[-1].removeprefix("run="))
    if not Run(folder).config_file.is_file():
        raise UserError(f"run: {folder} {NOT_A_RUN}")
    rest = [argument for argument in others if not _names_folder(argument)]
    return [*configs, *rest, f"run={literal(folder)}", f"hydra.run.dir={literal(folder)}"]


def _config_dir(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The flag `--config-dir FOLDER`, and the other arguments."""
    for index, argument in enumerate(arguments):
        if argument in ("-cd", "--config-dir"):
            return arguments[index : index + 2], [*arguments[:index], *arguments[index + 2 :]]
        if argument.startswith("--config-dir="):
            return [argument], [*arguments[:index], *arguments[index + 1 :]]
    return [], arguments


def _names_folder(argument: str) -> bool:
    """Whether it is `run=FOLDER`, or FOLDER itself, whose name may have equal signs."""
    key, equals, _ = argument.partition("=")
    return key == "run" or not (equals or key.startswith("~")) or Path(argument).is_dir()


def job(config: DictConfig) -> None:
    """Evaluate one run; called by Hydra with the composed config."""
    from latentlab.training.restore import refuse_unfit_for_evaluation

    run = Run(config.run)
    refuse_unfit_for_evaluation(run)
    from latentlab.processes.torch_build import require_one_build

    require_one_build()
    import_quickly("latentlab.evaluation.evaluate_run")
    from latentlab.evaluation.evaluate_run import evaluate_run

    own = {name: _measurement(config, f"measurements.{name}") for name in config.get("measurements") or {}}
    evaluate_run(
        run,
        config.suite,
        config.paths.output_dir,
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
