"""Export a run's model: `latentlab export outputs/runs/FOLDER format=onnx`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.commands.run_folder import with_folder
from latentlab.config import run_hydra
from latentlab.runs import Run
from latentlab.runs.layout import EXPORT

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "export", arguments, lambda given: with_folder("export", given))


def job(config: DictConfig) -> None:
    """Export one run; called by Hydra with the composed config."""
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.training.export.export_run")
    from latentlab.training.export.export_run import export_run

    run = Run(config.run)
    folder = Path(config.output) if config.output is not None else run.folder / f"{EXPORT}_{config.format}"
    written, difference = export_run(run, config.format, folder)
    log.info("%s: written and read back; at most %.1e from the run's own outputs", written, difference)
