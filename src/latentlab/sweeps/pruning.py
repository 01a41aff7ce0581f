"""A trial of a search that is worse than the median of the others at the same epoch is pruned."""

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, final

from lightning.pytorch import Callback, LightningModule, Trainer

from latentlab.errors import Pruned

if TYPE_CHECKING:
    from optuna.trial import Trial

log = logging.getLogger(__name__)


@final
class Pruning(Callback):
    """Reports a validation metric to the search's storage after each epoch, and asks Optuna's median pruner.

    Once the storage fails, the run continues without being pruned.

    folder: the search's. storage: the URL of its database, if it has one. trial: the number of the run's trial there.
    figure: the only objective; so called in the configs of searches that an earlier version began.
    startup_trials: how many others have to be complete before one is pruned.

    Raises:
        Pruned: from `on_validation_end`, on all devices at the same epoch.
    """

    def __init__(self, folder: str, trial: int, figure: str, startup_trials: int, storage: str | None = None) -> None:
        self._folder, self._url = Path(folder), storage
        self._number, self._metric, self._startup = trial, figure, startup_trials
        self._failed = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or self._metric not in trainer.callback_metrics:
            return
        epoch = trainer.current_epoch + 1
        stop = trainer.is_global_zero and self._should_prune(epoch, float(trainer.callback_metrics[self._metric]))
        if trainer.strategy.broadcast(stop):
            raise Pruned(f"{self._metric} at epoch {epoch} is worse than the median of the other trials")

    def _should_prune(self, epoch: int, value: float) -> bool:
        if self._failed:
            return False
        try:
            self._trial.report(value, epoch)
            return bool(self._trial.should_prune())
        except Exception as error:  # of Optuna, a database's driver or a file system
            self._failed = True
            log.warning("the search's storage failed at epoch %d; this run is not pruned: %s", epoch, _line(error))
            return False

    @cached_property
    def _trial(self) -> "Trial":
        """That of `Study.ask`, which another process has called."""
        import optuna

        from latentlab.sweeps.storage import opened

        storage, name = opened(self._folder, self._url)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=self._startup)
        study = optuna.load_study(study_name=name, storage=storage, pruner=pruner)
        identity = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(name), self._number)
        return optuna.trial.Trial(study, identity)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
