"""Compare runs on one page: `python -m latentlab report sweep=NAME`."""

from __future__ import annotations

import glob
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.config import run_hydra
from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

# texts that may hold commas and equal signs, and the keys of the config that they set
TEXTS = {"sweep": "sweep.name", "sweep.name": "sweep.name", "baseline": "baseline", "output": "output"}

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "report", arguments, quoted)


def quoted(arguments: list[str]) -> list[str]:
    """The arguments with names and folders quoted for Hydra, and `hydra.run.dir=.`, so that Hydra makes no folder.

    Raises:
        UserError: there is nothing to compare.
    """
    if any(argument.startswith("-") for argument in arguments):
        return arguments
    given = {TEXTS.get(key, key) for key in (argument.partition("=")[0] for argument in arguments)}
    if ("sweep.name" in given) == ("runs" in given):
        raise ConfigError("sweep: give either sweep=NAME or runs=[FOLDER,FOLDER]; see --help")
    return [*(_quoted_argument(argument) for argument in arguments), "hydra.run.dir=."]


def job(config: DictConfig) -> None:
    """Write one report; called by Hydra with the composed config."""
    from latentlab.report.reading.run_sets import find_sweep
    from latentlab.report.write import write_report, write_report_of_runs

    outputs = Path(config.paths.output_dir)
    if config.sweep.name is not None:
        folder = find_sweep(config.sweep.name, outputs)
        page = write_report(folder, config.baseline, config.output, config.partial_data)
    else:
        folder = Path(config.output) if config.output is not None else outputs / "reports"
        page = write_report_of_runs(list(config.runs), folder, config.baseline, config.partial_data)
    log.info("%s  (beside it report.md, report.csv, report_groups.csv)", page)


def folders(text: str) -> list[str]:
    """The folders of `[A,B]`: a comma separates two of them unless both sides together name one; `*` as in a shell."""
    pieces = text.removeprefix("[").removesuffix("]").split(",")
    found: list[str] = []
    while pieces:
        count = next((n for n in range(len(pieces), 1, -1) if Path(bare(",".join(pieces[:n]))).is_dir()), 1)
        name = bare(",".join(pieces[:count]))
        pieces = pieces[count:]
        matches = sorted(path for path in glob.glob(name) if Path(path).is_dir()) if "*" in name else []
        found += matches or [name]
    return [name for name in found if name]


def _quoted_argument(argument: str) -> str:
    key, _, value = argument.partition("=")
    if key in TEXTS and value != "null":
        return f"{TEXTS[key]}={literal(bare(value))}"
    if key == "runs":
        return f"{key}=[{','.join(map(literal, folders(value)))}]"
    return argument
