"""Several runs from one command: a grid of all combinations, or a search among them."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode, TaskFunction

from latentlab.config.composition import CheckedLoader
from latentlab.errors import UserError
from latentlab.processes.signals import interruptible
from latentlab.runs.layout import REPORT, STATUS
from latentlab.sweeps.grid import run_grid
from latentlab.sweeps.handed_back import HandedBack
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.names import checked_sweep_name, joined

log = logging.getLogger(__name__)

SEARCH = "latentlab.sweeps.settings.SearchSettings"


def sweep(hydra: Hydra, loader: CheckedLoader, job: TaskFunction, config_name: str, arguments: list[str]) -> None:
    """Run the jobs that the arguments describe, all in one folder, by Hydra's launcher.

    Raises:
        UserError: the command line, the folder, or some of the jobs, after all of them have had their turn.
        Interrupted: SIGINT or SIGTERM.
    """
    with interruptible():
        config = hydra.compose_config(config_name, arguments, RunMode.MULTIRUN, with_log_configuration=True)
        folder = Path(config.hydra.sweep.dir)
        name = joined([folder.name]) if config.sweep.name is None else checked_sweep_name(config.sweep.name)
        callbacks = Callbacks(config)
        callbacks.callbacks.insert(0, HandedBack())  # the first is called last
        callbacks.on_multirun_start(config=config, config_name=config_name)
        context = HydraContext(config_loader=loader, callbacks=callbacks)
        launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=job, config=config)
        given = tuple(config.hydra.overrides.task)
        prepared = Sweep(name, folder, config, given, loader, launcher)
        try:
            _run(prepared)
        finally:
            _report(prepared)
        callbacks.on_multirun_end(config=config, config_name=config_name)


def _run(sweep: Sweep) -> None:
    if sweep.config.hydra.sweeper._target_ == SEARCH:
        from latentlab.sweeps.search import run_search

        run_search(sweep)
    else:
        run_grid(sweep)


def _report(sweep: Sweep) -> None:
    """Of what is there by now, also where jobs failed; what it cannot write costs no result."""
    if not sweep.config.sweep.report or not _has_news(sweep.folder):
        return
    from latentlab.report.write import write_report

    try:
        log.info("report: %s", write_report(sweep.folder))
    except (UserError, OSError) as error:
        log.warning("no report: %s", error)


def _has_news(folder: Path) -> bool:
    """Whether a job wrote something since the last report; where a clock was set back, it is made to be sure."""
    page = folder / REPORT
    written = [file.stat().st_mtime_ns for file in folder.glob(f"*/{STATUS}")]
    if not written or not page.is_file():
        return bool(written)
    made = page.stat().st_mtime_ns
    return max(written) > made or made > time.time_ns()
