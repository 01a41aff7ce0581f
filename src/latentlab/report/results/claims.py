"""conf/results.yaml: for each recipe what is published, and what it aims at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import yaml  # type: ignore[import-untyped]

from latentlab.errors import ConfigError
from latentlab.report.statistics.measures import Measure, measure

FILE = "results.yaml"


@final
@dataclass(frozen=True, kw_only=True)
class Claim:
    """One metric of a recipe beside its published value, if there is one.

    metric: as in metrics.json, without "test/". of: the overrides of the runs of a sweep that it belongs to.
    published, source: its value in the literature. aim: a value that ours should be at least as good as.
    """

    metric: str
    of: tuple[str, ...] = ()
    published: float | None = None
    source: str = ""
    aim: float | None = None

    @property
    def measure(self) -> Measure:
        return measure(f"test/{self.metric}")

    def is_of(self, overrides: Mapping[str, str]) -> bool:
        """Whether the metric is that of a run with these overrides."""
        return {*self.of} <= {f"{key}={value}" for key, value in overrides.items()}

    def __post_init__(self) -> None:
        if (self.published is not None) != bool(self.source):
            raise ValueError("a published value and its source belong together")
        if self.measure.better is None:
            raise ValueError(f"{self.metric}: neither lower nor higher values are better")


@final
@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A recipe, and how it is trained and measured.

    protocol: what the published values have in common with ours, in a line.
    minutes: of one seed, with its evaluation, on two CPU cores.
    arguments: beside experiment=RECIPE. samples: codes per image of a later evaluation; None: there is none.
    picture: the name of one of the runs' pictures.
    """

    recipe: str
    protocol: str
    minutes: float
    picture: str
    claims: tuple[Claim, ...]
    arguments: tuple[str, ...] = ()
    samples: int | None = None

    @property
    def command(self) -> list[str]:
        """The arguments of `latentlab train`, without the seeds and the name of the sweep."""
        return ["-m", f"experiment={self.recipe}", *self.arguments]


def read_reproductions(file: Path) -> dict[str, Reproduction]:
    """Those of a file, by their recipes, in its order.

    Raises:
        ConfigError: it is missing or has a mistake.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {recipe: _reproduction(recipe, given) for recipe, given in content.items()}
    except (OSError, yaml.YAMLError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise ConfigError(f"{file}: expected recipes with their published values, found a mistake ({error})") from error


def _reproduction(recipe: str, given: Any) -> Reproduction:
    claims = tuple(Claim(**{**claim, "of": tuple(claim.get("of", ()))}) for claim in given["claims"])
    arguments = tuple(given.get("arguments", ()))
    return Reproduction(recipe=recipe, **{**given, "arguments": arguments, "claims": claims})
