"""Whether the run in a folder is complete, resumed or restarted when the same command is given again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from latentlab.errors import UserError
from latentlab.runs.identity import config_hash
from latentlab.runs.run import Run

if TYPE_CHECKING:
    from omegaconf import DictConfig

log = logging.getLogger(__name__)


def is_complete(run: Run, wanted: str, suite: str) -> bool:
    """Whether the folder holds the results of the config with the hash `wanted`, measured as `suite` asks."""
    metrics = readable_metrics(run)
    return metrics is not None and metrics.get("config_hash") == wanted and is_evaluated(metrics, suite)


def finished(run: Run, config: DictConfig) -> dict[str, Any] | None:
    """The metrics of a run that is to be resumed but whose training has ended; None for any other.

    One that was stopped early, or by its steps or its time, has ended as well: more epochs than it was to have
    continue it.
    """
    metrics = run.metrics if config.resume else None
    if metrics is None:
        return None
    # where it is not complete, more epochs were begun, which the saved config counts already
    trained_for = max(metrics["epochs"], run.config.trainer.max_epochs if is_marked_complete(run) else 0)
    if trained_for < config.trainer.max_epochs:
        return None
    if is_evaluated(metrics, config.evaluate):
        log.info("%s is complete after %d epochs; raise trainer.max_epochs to continue", run.folder, metrics["epochs"])
    return metrics


def has_later_epochs(run: Run) -> bool:
    """Whether there are epochs after those that `metrics.json` is of."""
    if is_marked_complete(run) or run.metrics is None:
        return False
    return bool(max(run.read_history()[0], default=0) > run.metrics["epochs"])


def is_marked_complete(run: Run) -> bool:
    """Whether the status on disk is "complete"; while a complete run is resumed for further epochs it is "running"."""
    return run.stamp.get("status") == "complete"


def is_evaluated(metrics: dict[str, Any], suite: str) -> bool:
    """Whether a run's metrics include those of the suite: none, quick or full."""
    done = (metrics.get("evaluation") or {}).get("suite", "none")
    return suite == "none" or done in (suite, "full")


def should_resume(run: Run, config: DictConfig, *, may_clear: bool = True) -> bool:
    """Whether the folder holds a run of this very config that is complete or was stopped; otherwise it is emptied.

    A failed attempt is not resumed but restarted; its log is kept. Damaged metrics are put aside.

    may_clear: False for the other processes of a job: nothing is changed, so that they get the first one's answer.
    """
    file = run.metrics_file
    if may_clear and readable_metrics(run) is None and file.is_file():
        log.warning("%s is damaged; put aside, and recreated", file)
        file.replace(file.with_suffix(".damaged"))
    try:
        same = run.config_file.is_file() and config_hash(run.config) == config_hash(config)
        failed = run.status["status"] in ("failed", "pruned")
    except UserError as error:
        log.warning("%s", error)
        same, failed = False, True
    if same and (readable_metrics(run) is not None or (run.last_checkpoint is not None and not failed)):
        return True
    if may_clear:
        run.clear()
    return False


def readable_metrics(run: Run) -> dict[str, Any] | None:
    """The run's metrics; None where it has none, or they cannot be read."""
    try:
        return run.metrics
    except (UserError, OSError):
        return None
