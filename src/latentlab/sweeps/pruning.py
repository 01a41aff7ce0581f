"""A trial of a search that is worse than the median of the others at the same epoch is pruned."""

from pathlib import Path
from typing import final

from lightning.pytorch import Callback, LightningModule, Trainer

from latentlab.errors import Pruned


@final
class Pruning(Callback):
    """Reports a validation figure to the search's storage after each epoch, and asks Optuna's median pruner.

    folder: the search's, which holds its storage. trial: the number of the run's trial there.
    figure: the only objective. startup_trials: how many others have to be complete before one is pruned.

    Raises:
        Pruned: from `on_validation_end`, on all devices at the same epoch.
    """

    def __init__(self, folder: str, trial: int, figure: str, startup_trials: int) -> None:
        self._folder, self._number, self._figure, self._startup = Path(folder), trial, figure, startup_trials

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or self._figure not in trainer.callback_metrics:
            return
        epoch = trainer.current_epoch + 1
        stop = trainer.is_global_zero and self._should_prune(epoch, float(trainer.callback_metrics[self._figure]))
        if trainer.strategy.broadcast(stop):
            raise Pruned(f"{self._figure} at epoch {epoch} is worse than the median of the other trials")

    def _should_prune(self, epoch: int, value: float) -> bool:
        import optuna

        from latentlab.sweeps.study import storage

        pruner = optuna.pruners.MedianPruner(n_startup_trials=self._startup)
        found = storage(self._folder)
        study = optuna.load_study(study_name="search", storage=found, pruner=pruner)
        number = found.get_trial_id_from_study_id_trial_number(found.get_study_id_from_name("search"), self._number)
        trial = optuna.trial.Trial(study, number)  # that of `Study.ask`, which another process has called
        trial.report(value, epoch)
        return bool(trial.should_prune())
