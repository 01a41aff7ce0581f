"""Optuna's side of a search: trials in a storage, requested and reported by any number of processes."""

import json
import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.trial import FrozenTrial, TrialState

from latentlab.errors import UserError
from latentlab.runs.files import write_atomically
from latentlab.runs.layout import SEARCH, WORKERS
from latentlab.runs.lock import is_held
from latentlab.sweeps.settings import SearchSettings
from latentlab.sweeps.space import SearchSpace
from latentlab.sweeps.storage import opened

log = logging.getLogger(__name__)

WORKER, FOLDER, REASON = "worker", "folder", "reason"
DRAWN = "drawn"  # how many trials were forgotten


@final
class Study:
    """The trials of a sweep's folder.

    Raises:
        UserError: its storage cannot be read, or was made for other objectives.
    """

    def __init__(self, folder: Path, settings: SearchSettings, worker: str) -> None:
        """worker: the name of this process, under which it holds a lock in the folder."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self._folder, self._settings, self._worker = folder, settings, worker
        self._kept_in, self._name = opened(folder, settings.storage)
        self._study = self._opened()
        known = self._study.user_attrs.get("objectives")
        if known is None:
            self._study.set_user_attr("objectives", settings.objectives)
        elif [*known.items()] != [*settings.objectives.items()]:  # values are stored in their order
            if self.in_use() or not self._is_alone:
                raise searched_with(folder, known, settings.objectives)
            self.begin_anew()  # those known were perhaps mistyped

    def _opened(self) -> optuna.Study:
        directions = list(self._settings.objectives.values())
        return optuna.create_study(
            storage=self._kept_in, study_name=self._name, directions=directions, load_if_exists=True
        )

    @property
    def trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    @property
    def is_spent(self) -> bool:
        """Whether no trial has a result, and no process is about to have one: the search may begin anew."""
        return bool(self.trials) and not self.in_use() and self._is_alone

    @property
    def _is_alone(self) -> bool:
        workers = (self._folder / WORKERS).glob("*")
        return not any(is_held(other) for other in workers if other.name != self._worker)

    def begin_anew(self) -> None:
        """Forget the trials, but for how many they were: what is drawn next is not what they were."""
        drawn = self._drawn
        optuna.delete_study(study_name=self._name, storage=self._kept_in)
        self._study = self._opened()
        self._study.set_user_attr("objectives", self._settings.objectives)
        self._study.set_user_attr(DRAWN, drawn)

    @property
    def _drawn(self) -> int:
        """How many trials were drawn, also those forgotten."""
        return int(self._study.user_attrs.get(DRAWN, 0)) + len(self.trials)

    def refuse_other_space(self, space: SearchSpace) -> None:
        """Raise UserError where earlier trials had other values of a searched key to choose from."""
        for trial in self.trials:
            for key in space.distributions.keys() & trial.distributions.keys():
                old, new = trial.distributions[key], space.distributions[key]
                try:
                    check_distribution_compatibility(old, new)
                except ValueError as error:
                    raise searched_with(f"{key}: {self._folder}", old, new) from error

    def in_use(self) -> list[FrozenTrial]:
        """The trials with a result, or a process that will report one."""
        orphans = {trial.number for trial in self.orphans()}
        return [t for t in self.trials if t.values or (t.state == TrialState.RUNNING and t.number not in orphans)]

    def orphans(self) -> list[FrozenTrial]:
        """Trials whose process has ended."""
        return [t for t in self._running() if not is_held(self._folder / WORKERS / str(self._attribute(t, WORKER)))]

    def _running(self) -> list[FrozenTrial]:
        return [trial for trial in self.trials if trial.state == TrialState.RUNNING]

    def run_elsewhere(self, folder: str) -> set[int]:
        """The numbers of the trials that other processes run in the folder."""
        own, orphans = self._worker, {trial.number for trial in self.orphans()}
        others = (t for t in self._running() if t.number not in orphans and self._attribute(t, WORKER) != own)
        return {trial.number for trial in others if self.folder_of(trial) == folder}

    def adopt(self, trial: FrozenTrial) -> None:
        self._mark(trial, WORKER, self._worker)

    def ask(self, space: Mapping[str, BaseDistribution]) -> FrozenTrial:
        """A new trial. To be called under the folder's lock: the sample depends on the seed and the trial's number."""
        own = np.random.SeedSequence([self._settings.seed, self._drawn])
        self._study.sampler = optuna.samplers.TPESampler(
            seed=int(own.generate_state(1)[0]),
            n_startup_trials=self._settings.startup_trials,
            constant_liar=True,  # trials that other processes are running are not sampled again
        )
        number = self._study.ask(dict(space)).number
        trial = self.trials[number]
        self.adopt(trial)
        return trial

    def set_folder(self, trial: FrozenTrial, folder: str) -> None:
        self._mark(trial, FOLDER, folder)

    def has_ended_in(self, folder: str) -> bool:
        """Whether a trial in the folder was pruned, or failed in this process; failures of earlier ones are retried."""
        return any(
            trial.state == TrialState.PRUNED
            or (trial.state == TrialState.FAIL and self._attribute(trial, WORKER) == self._worker)
            for trial in self.trials
            if self.folder_of(trial) == folder
        )

    def folder_of(self, trial: FrozenTrial) -> str | None:
        return self._attribute(trial, FOLDER)

    def complete(self, trial: FrozenTrial, values: Sequence[float]) -> None:
        if not all(math.isfinite(value) for value in values):
            self.fail(trial, "the objective is not finite")
        else:
            self._study.tell(trial.number, list(values))

    def pruned(self, trial: FrozenTrial) -> None:
        self._study.tell(trial.number, state=TrialState.PRUNED)

    def fail(self, trial: FrozenTrial, reason: str) -> None:
        self._mark(trial, REASON, reason)
        self._study.tell(trial.number, state=TrialState.FAIL)

    def best(self) -> list[FrozenTrial]:
        """The best trial, or with several objectives the Pareto front."""
        return self._study.best_trials

    def write_summary(self, importance: Mapping[str, Mapping[str, float]] | None = None) -> None:
        """`search.json`: the trials and, once the search has ended, the keys' importance, to be read without Optuna."""
        trials = [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "folder": self.folder_of(trial),
                "params": trial.params,
                "values": trial.values,
                "reason": self.reason(trial),
            }
            for trial in self.trials
        ]
        content = {"objectives": self._settings.objectives, "trials": trials, "importance": importance or {}}
        write_atomically(self._folder / SEARCH, json.dumps(content, indent=1) + "\n")

    def importance(self) -> dict[str, dict[str, float]]:
        """Of each key for each objective (Hutter et al. 2014); empty with too few trials."""
        found = {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        for index, name in enumerate(self._settings.objectives):
            target = partial(_value_of, index)
            with suppress(ValueError, RuntimeError, ZeroDivisionError):
                found[name] = optuna.importance.get_param_importances(self._study, evaluator=evaluator, target=target)
        return found

    def reason(self, trial: FrozenTrial) -> str:
        """Why the trial failed; empty for any other."""
        return self._attribute(trial, REASON) or ""

    def _mark(self, trial: FrozenTrial, name: str, value: str) -> None:
        """Set an attribute of the study, which any process can, also for another process's trial."""
        self._study.set_user_attr(f"{name}:{trial.number}", value)

    def _attribute(self, trial: FrozenTrial, name: str) -> str | None:
        """What `_mark` has set; earlier versions set attributes of the trials."""
        return self._study.user_attrs.get(f"{name}:{trial.number}", trial.user_attrs.get(name))


def searched_with(what: object, known: object, found: object) -> UserError:
    return UserError(
        f"{what} was searched with {known}, found {found}; leave it as it was, or choose another sweep.name"
    )


def _value_of(objective: int, trial: FrozenTrial) -> float:
    return float(trial.values[objective])
