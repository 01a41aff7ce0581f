"""Settings of a search: the keys of `hydra.sweeper` with `hydra/sweeper=optuna`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from latentlab.errors import ConfigError

Direction = Literal["minimize", "maximize"]


@final
@dataclass(frozen=True)
class SearchSettings:
    """The objectives of a search, its trials and its sampler.

    trials: their number in total, including those of earlier calls and of other processes on the same storage.
    minimize, maximize: the objectives; `val/...` of the epoch whose weights are kept, others from `metrics.json`.
    prune: prune a trial whose metric is worse than the median of the others' at that epoch (one `val/` objective).
    startup_trials: how many are sampled at random and never pruned.
    seed: of the sampler.
    storage: the URL of a database for the trials; None for a journal in the sweep's folder.
    params: the search space, or some of its keys, in a recipe.

    Raises:
        ConfigError: a value out of range.
    """

    trials: int
    minimize: Sequence[str]
    maximize: Sequence[str]
    prune: bool
    startup_trials: int
    seed: int
    storage: str | None
    params: Mapping[str, str]

    def __post_init__(self) -> None:
        for key, least in (("trials", 1), ("startup_trials", 0)):
            if getattr(self, key) < least:
                raise ConfigError(f"hydra.sweeper.{key}: expected at least {least}, found {getattr(self, key)}")
        if len(self.objectives) != len([*self.minimize, *self.maximize]) or not self.objectives:
            raise ConfigError(
                "hydra.sweeper.minimize: expected metrics such as [val/mse], each once, here or in maximize"
            )

    @property
    def objectives(self) -> dict[str, Direction]:
        """Each metric with its direction."""
        return {**dict.fromkeys(self.minimize, "minimize"), **dict.fromkeys(self.maximize, "maximize")}

    @property
    def pruning_metric(self) -> str | None:
        """The objective by which trials are pruned; None where they are not."""
        (name, *others) = self.objectives
        return name if self.prune and not others and name.startswith("val/") else None
