"""Walk through the latent space of runs on a local page: `latentlab explore outputs/runs/FOLDER`."""

from __future__ import annotations

import logging
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.commands.report import folders
from latentlab.config import run_hydra
from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError
from latentlab.runs import Run
from latentlab.runs.layout import EXPLORE

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "explore", arguments, quoted)


def quoted(arguments: list[str]) -> list[str]:
    """The arguments with names and folders quoted for Hydra, and one run as a list of one.

    Raises:
        UserError: there is nothing to explore, or more than one of run, runs and sweep.
    """
    if any(argument.startswith("-") for argument in arguments):
        return arguments
    chosen, others = [], []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or Path(argument).is_dir():
            chosen.append(f"runs=[{literal(bare(argument))}]")
        elif key == "run":
            chosen.append(f"runs=[{literal(bare(value))}]")
        elif key == "runs":
            chosen.append(f"runs=[{','.join(map(literal, folders(value)))}]")
        elif key in ("sweep", "sweep.name"):
            chosen.append(f"sweep.name={literal(bare(value))}")
        else:
            is_path = key in ("output", "data_root") and value != "null"
            others.append(f"{key}={literal(bare(value))}" if is_path else argument)
    if len(chosen) != 1 or chosen == ["runs=[]"]:
        raise ConfigError("run: give one of run=FOLDER, runs=[FOLDER,FOLDER] and sweep=NAME; see --help")
    return [*chosen, *others, "hydra.run.dir=."]


def job(config: DictConfig) -> None:
    """Serve the page, or write one that needs no server; called by Hydra with the composed config."""
    from latentlab.report.reading.run_sets import find_sweep
    from latentlab.training.restore import refuse_incomplete

    if not 0 <= config.port < 2**16:
        raise ConfigError(f"port: expected 0 to 65535, found {config.port}")
    if find_spec("bokeh") is None:
        raise ConfigError("explore needs Bokeh; pip install bokeh")
    if config.runs is not None:
        chosen = [Path(folder) for folder in config.runs]
    else:
        from latentlab.explore.sweeps import runs_of

        chosen = runs_of(find_sweep(config.sweep.name, Path(config.paths.output_dir)))
    for folder in chosen:
        Run(folder).refuse_other_folder("run: ")
        refuse_incomplete(Run(folder))
    from latentlab.processes.torch_build import import_with_torch

    import_with_torch("latentlab.explore.page")
    from latentlab.explore.opening import open_runs
    from latentlab.explore.page import fill
    from latentlab.explore.server import ended_between_messages, serve

    spaces = open_runs(chosen, config.data_root)
    if config.output is not None:
        from latentlab.explore.standalone.page import write_page

        output = Path(config.output)
        is_file = output.suffix == ".html" and not output.is_dir()
        log.info("%s", write_page(spaces, output if is_file else output / EXPLORE))
        return
    import torch

    torch.set_num_threads(1)  # one image at a time: handing it to further threads takes longer than decoding it
    with ended_between_messages():
        serve(partial(fill, spaces=spaces), config.port, config.open)
