"""A search's overrides -> its search space; the parameters of a trial -> its job's overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from latentlab.errors import ConfigError
from latentlab.runs.identity import is_identifying, override_key
from latentlab.sweeps.names import joined

INTERVAL = "tag(log, interval(1e-4, 1e-1))"


@final
@dataclass(frozen=True)
class SearchSpace:
    """The distribution of each searched key, and the overrides that all jobs share."""

    distributions: Mapping[str, BaseDistribution]
    fixed: tuple[str, ...]

    @classmethod
    def of(cls, arguments: Sequence[str], loader: ConfigLoader | None) -> "SearchSpace":
        """`interval(a, b)` is a number between, `tag(log, ...)` on a logarithmic scale, `int(...)` a whole one.

        `a,b` and `choice(a, b)` are options, `range(a, b, step)` numbers in steps. A later override of a key wins.

        Raises:
            ConfigError: no key is searched, or one that cannot change a result, or an interval cannot be sampled from.
        """
        parsed = {
            o.key_or_group: o for o in OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
        }
        searched = {key: override for key, override in parsed.items() if override.is_sweep_override()}
        if idle := [key for key in searched if not is_identifying(override_key(key))]:
            raise ConfigError(f"{idle[0]}: cannot change a result, so it cannot be searched; give it one value")
        if not searched:
            raise ConfigError(f"hydra.sweeper: nothing to search; give a key as KEY=A,B or 'KEY={INTERVAL}'")
        fixed = tuple(str(override.input_line) for key, override in parsed.items() if key not in searched)
        return cls({key: _distribution(key, override) for key, override in searched.items()}, fixed)

    def overrides(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of one trial's job."""
        return (*self.fixed, *(f"{key}={value}" for key, value in parameters.items()))


def trial_name(number: int, parameters: Mapping[str, Any]) -> str:
    """A folder's name, in the order of the trials."""
    return joined([f"{number:04d}", *shown(parameters)])


def shown(parameters: Mapping[str, Any]) -> list[str]:
    """Each key with its value, to four digits."""
    return [f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in parameters.items()]


def _distribution(key: str, override: Override) -> BaseDistribution:
    value = override.value()
    try:
        if isinstance(value, IntervalSweep):
            assert value.start is not None
            assert value.end is not None
            log = "log" in value.tags
            if isinstance(value.start, int) and isinstance(value.end, int):
                return IntDistribution(value.start, value.end, log=log)
            return FloatDistribution(float(value.start), float(value.end), log=log)
        options = list(override.sweep_string_iterator())
        if isinstance(value, RangeSweep) and all(isinstance(n, int) for n in (value.start, value.stop, value.step)):
            return IntDistribution(int(options[0]), int(options[-1]), step=int(value.step))
        return CategoricalDistribution(options)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
