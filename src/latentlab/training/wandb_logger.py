"""A run of W&B whose own service may be gone at any moment: the training goes on without it."""

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
    """Lightning's, which is silent from the first error on; one warning says so."""

    _gone = False

    def attempt(self, act: Callable[[], object]) -> None:
        """Do what needs W&B, if it is still there."""
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
    """Do what needs the logger; where it is W&B's and W&B is gone, nothing."""
    if isinstance(logger, SteadyWandbLogger):
        logger.attempt(act)
    else:
        act()


def finish(exit_code: int) -> None:
    """Close the W&B run if one is open: the next job of a sweep would go on writing into it."""
    wandb = sys.modules.get("wandb")
    if wandb is None or wandb.run is None:
        return
    try:
        wandb.finish(exit_code=exit_code)
    except Exception as error:
        log.debug("W&B could not be closed: %s", error)
        with suppress(Exception):  # so that the next job starts a run and a service of its own
            wandb.sdk.lib.module.unset_globals()
            wandb.teardown(exit_code)


def _warn(error: Exception) -> None:
    told = " ".join(str(error).split()) or type(error).__name__
    log.warning("W&B is gone (%s); the run goes on without it, and what it had is in the run's folder", told)
    before = sys.unraisablehook

    def leave_out(ended: "sys.UnraisableHookArgs") -> None:
        if not isinstance(ended.exc_value, ConnectionError):  # W&B's own of the same, at the end of the process
            before(ended)

    sys.unraisablehook = leave_out
