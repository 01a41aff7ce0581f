"""How a search goes: the keys of `hydra.sweeper` with `hydra/sweeper=optuna`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from latentlab.errors import ConfigError

Direction = Literal["minimize", "maximize"]


@final
@dataclass(frozen=True)
class SearchSettings:
    """What is looked for, and how long.

    trials: in all, those of earlier calls and of other processes on the same storage counted in.
    minimize, maximize: the objectives; `val/...` is taken at the best epoch, others from `metrics.json`.
    prune: stop a trial early whose figure is worse than the median of the others' at that epoch (one `val/` objective).
    startup_trials: so many are drawn at random, and none of them is stopped early.
    seed: of the sampler.
    params: the space, or a part of it, in a recipe.

    Raises:
        ConfigError: a value out of range.
    """

    trials: int
    minimize: Sequence[str]
    maximize: Sequence[str]
    prune: bool
    startup_trials: int
    seed: int
    params: Mapping[str, str]

    def __post_init__(self) -> None:
        for key, least in (("trials", 1), ("startup_trials", 0)):
            if getattr(self, key) < least:
                raise ConfigError(f"hydra.sweeper.{key}: expected at least {least}, found {getattr(self, key)}")
        if len(self.objectives) != len([*self.minimize, *self.maximize]) or not self.objectives:
            raise ConfigError(
                "hydra.sweeper.minimize: expected figures such as [val/mse], each once, here or in maximize"
            )

    @property
    def objectives(self) -> dict[str, Direction]:
        """Each figure with its direction."""
        return {**dict.fromkeys(self.minimize, "minimize"), **dict.fromkeys(self.maximize, "maximize")}

    @property
    def watched(self) -> str | None:
        """The figure by which trials are stopped early; None where they are not."""
        (name, *others) = self.objectives
        return name if self.prune and not others and name.startswith("val/") else None
