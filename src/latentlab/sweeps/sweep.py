"""Several runs from one command: a grid of all combinations, or a search among them."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from latentlab.config.composition import CheckedLoader
from latentlab.errors import UserError
from latentlab.processes.signals import interruptible
from latentlab.runs.layout import REPORT, STATUS
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.names import checked_sweep_name, joined

log = logging.getLogger(__name__)


def run_sweep(
    run: Callable[[Sweep], None], arguments: list[str], config: DictConfig, loader: ConfigLoader, launcher: Launcher
) -> None:
    """Let `run` start the jobs that the arguments describe, all in one folder, and write the report.

    Raises:
        UserError: the command line, the folder, or some of the jobs, after all of them have run.
        Interrupted: SIGINT or SIGTERM.
    """
    assert isinstance(loader, CheckedLoader)
    with interruptible():
        folder = Path(config.hydra.sweep.dir)
        name = joined([folder.name]) if config.sweep.name is None else checked_sweep_name(str(config.sweep.name))
        sweep = Sweep(name, folder, config, tuple(arguments), loader, launcher)
        try:
            run(sweep)
        finally:
            _report(sweep)


def _report(sweep: Sweep) -> None:
    """Write the report of the jobs so far, also where some failed; an error in it fails no sweep."""
    if not sweep.config.sweep.report or not _has_news(sweep.folder):
        return
    from latentlab.report.write import write_report

    try:
        log.info("report: %s", write_report(sweep.folder))
    except (UserError, OSError) as error:
        log.warning("no report: %s", error)


def _has_news(folder: Path) -> bool:
    """Whether a job wrote something since the last report; also where the clock was set back since."""
    page = folder / REPORT
    written = [file.stat().st_mtime_ns for file in folder.glob(f"*/{STATUS}")]
    if not written or not page.is_file():
        return bool(written)
    made = page.stat().st_mtime_ns
    return max(written) > made or made > time.time_ns()
