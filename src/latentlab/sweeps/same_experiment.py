"""Whether the trials of a search are of the experiment that a command describes, and so comparable with its own."""

from collections.abc import Iterable
from contextlib import suppress
from typing import final

from omegaconf import DictConfig
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from latentlab.errors import UserError
from latentlab.runs import Run
from latentlab.runs.identity import config_hash, differences, identifying
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.space import SearchSpace
from latentlab.sweeps.study import Study, searched_with

MAX_LISTED = 4  # settings that differ


@final
class SameExperiment:
    """Compares the config that a trial was run with to the one that the command would run it with now."""

    def __init__(self, sweep: Sweep, space: SearchSpace) -> None:
        self._sweep, self._space = sweep, space
        self._compared: set[tuple[object, ...]] = set()  # the choices of trials that were found the same
        self._images: dict[int, tuple[str, str]] = {}  # {number of a complete trial: its data, their fingerprint}

    def refuse_others(self, study: Study) -> None:
        """Raise UserError where a trial that is in use is of another experiment: its values cannot be compared.

        Of the trials with the same choices, which decide what is composed, one is looked at.
        """
        study.refuse_other_space(self._space)
        for trial in study.in_use():
            choices = tuple(
                trial.params.get(key)
                for key, distribution in sorted(trial.distributions.items())
                if isinstance(distribution, CategoricalDistribution)
            )
            if choices not in self._compared:
                if difference := self._difference(study, trial):
                    raise searched_with(self._sweep.folder, *difference)
                self._compared.add(choices)
        self._refuse_other_images(study)

    def _refuse_other_images(self, study: Study) -> None:
        """Raise UserError where trials of one data set were trained on different images: they changed in between."""
        for trial in study.trials:
            folder = study.folder_of(trial)
            if trial.state == TrialState.COMPLETE and folder is not None and trial.number not in self._images:
                with suppress(UserError):
                    run = Run(self._sweep.folder / folder)
                    if run.metrics is not None and "data_fingerprint" in run.metrics:
                        self._images[trial.number] = _data_of(run.config), run.metrics["data_fingerprint"]
        first: dict[str, tuple[int, str]] = {}
        for number, (data, fingerprint) in sorted(self._images.items()):
            before, known = first.setdefault(data, (number, fingerprint))
            if known != fingerprint:
                raise UserError(
                    f"{self._sweep.folder}: trials {before} and {number} were trained on different images of one data "
                    f"set, which has changed in between (fingerprints {known}, {fingerprint}); their values cannot be "
                    "compared; choose another sweep.name"
                )

    def can_resume(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether a trial whose process has ended is resumed by this command."""
        return trial.distributions == self._space.distributions and self._difference(study, trial) is None

    def _difference(self, study: Study, trial: FrozenTrial) -> tuple[str, str] | None:
        """What it was run with and what is found now, where they differ; None also where its run was not started."""
        earlier, searched = trial.distributions.keys(), self._space.distributions.keys()
        if earlier != searched:
            return _searched(earlier - searched), _searched(searched - earlier)
        if (folder := study.folder_of(trial)) is None:
            return None
        with suppress(UserError):
            saved = Run(self._sweep.folder / folder).config
            given = self._sweep.loader.checked(self._sweep.config, list(self._space.overrides(trial.params)))
            if found := differences(saved, given):
                return (
                    _listed(f"{key}={before}" for key, (before, _) in found.items()),
                    _listed(f"{key}={now}" for key, (_, now) in found.items()),
                )
        return None


def _data_of(config: DictConfig) -> str:
    """A short name of the data's settings that count."""
    return config_hash({key: value for key, value in identifying(config).items() if key.startswith("data.")})


def _searched(keys: Iterable[str]) -> str:
    return _listed(f"{key} searched" for key in sorted(keys))


def _listed(words: Iterable[str]) -> str:
    found = list(words)
    return " ".join(found[:MAX_LISTED]) + (" ..." if len(found) > MAX_LISTED else "") or "nothing more"
