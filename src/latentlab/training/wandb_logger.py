"""A W&B run whose service process may end at any moment: training continues without it."""

import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, final

from lightning.pytorch.loggers import Logger, WandbLogger

log = logging.getLogger(__name__)


@final
class SteadyWandbLogger(WandbLogger):
    """Lightning's logger, which logs one warning at the first error and nothing to W&B after it."""

    _gone = False

    def attempt(self, act: Callable[[], object]) -> None:
        """Call `act`, which uses W&B, unless W&B has failed before."""
        if self._gone:
            return
        try:
            act()
        except Exception as error:  # W&B documents no narrower type, and a run is worth more than its upload
            self._gone = True
            _warn(error)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.attempt(lambda: WandbLogger.log_metrics(self, metrics, step))

    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        self.attempt(lambda: WandbLogger.log_hyperparams(self, params))

    def finalize(self, status: str) -> None:
        self.attempt(lambda: WandbLogger.finalize(self, status))


def attempt(logger: Logger, act: Callable[[], object]) -> None:
    """Call `act`, which uses the logger, unless the logger is W&B's and W&B has failed before."""
    if isinstance(logger, SteadyWandbLogger):
        logger.attempt(act)
    else:
        act()


def finish_wandb(exit_code: int) -> None:
    """Close the W&B run if one is open: the next job of a sweep would write into it."""
    if "wandb" not in sys.modules:
        return
    import wandb

    if wandb.run is None:
        return
    try:
        wandb.finish(exit_code=exit_code)
    except Exception as error:
        log.debug("W&B could not be closed: %s", error)
        wandb.run = None  # so that the next job starts a new run, and a new service
        with suppress(Exception):
            wandb.teardown(exit_code)


def reason_of(error: Exception) -> str:
    """Its message in one line, or the name of its class where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def _warn(error: Exception) -> None:
    reason = reason_of(error)
    log.warning("W&B failed (%s); the run continues without it, and its W&B files stay in the run's folder", reason)
    before = sys.unraisablehook

    def without_connection_errors(ended: "sys.UnraisableHookArgs") -> None:
        if not isinstance(ended.exc_value, ConnectionError):  # W&B raises the same again when the process exits
            before(ended)

    sys.unraisablehook = without_connection_errors
