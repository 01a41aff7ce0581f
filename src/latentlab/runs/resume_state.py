"""How the folder of a sweep's job stands when the same command comes again."""

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


def is_evaluated(metrics: dict[str, Any], suite: str) -> bool:
    """Whether a run's figures hold those of the suite: none, quick or full."""
    done = (metrics.get("evaluation") or {}).get("suite", "none")
    return suite == "none" or done in (suite, "full")


def goes_on(run: Run, config: DictConfig, *, may_clear: bool = True) -> bool:
    """Whether the folder holds a run of this very config that is complete or was stopped: else it is made empty.

    A failed attempt is not gone on with, but repeated; its log stays. Damaged figures are put aside.

    With `may_clear=False` it only looks, for the further processes of a job: it then says what the first one says,
    whether that is still at it or done.
    """
    damaged = run.folder / "metrics.json"
    if may_clear and readable_metrics(run) is None and damaged.is_file():
        log.warning("%s is damaged; put aside, and made anew", damaged)
        damaged.replace(damaged.with_suffix(".damaged"))
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
    """The run's figures; None where it has none, or they cannot be read."""
    try:
        found = run.metrics
    except (UserError, OSError):
        return None
    return found if isinstance(found, dict) else None
