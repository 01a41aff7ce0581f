"""From values to places on an axis, and which values are written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

from latentlab.comparison.documents import number
from latentlab.comparison.groups import ABSENT, canonical, shown, sorting
from latentlab.comparison.yardstick import tick

DECADES = 1.4  # spanned before an axis becomes logarithmic: a factor of 25
MOST_OWN_TICKS = 8
LEAST_LOG = 4  # between the ends of an axis of settings
Ticks = list[tuple[float, str]]


@final
@dataclass(frozen=True)
class Scale:
    """Values between low and high on pixels between start and end."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, value: float) -> float:
        """The pixel of a value, within the range of one axis' length on either side."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, -1.0), 2.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> Ticks:
        """Round values and their texts."""
        values = _log_steps(self.low, self.high) if self.is_log else _steps(self.low, self.high, most)
        if len(values) < 2:
            values = _steps(self.low, self.high, most)
        return [(value, tick(value)) for value in values]

    def _bent(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.is_log else value


@final
@dataclass(frozen=True)
class Settings:
    """An axis of a varied key: numbers by size, or else its values side by side in order."""

    scale: Scale
    names: tuple[tuple[str, str], ...]  # canonical value, text; none for numbers
    few: tuple[float, ...] = ()  # numbers that are so few that each has its tick

    def place(self, value: Any) -> float:
        """The pixel of a setting; `ABSENT` stands for a key that is not there."""
        if not self.names:
            return self.scale.place(float(value))
        own = ABSENT if isinstance(value, str) and value == ABSENT else canonical(value)
        return self.scale.place(float([name for name, _ in self.names].index(own)))

    def ticks(self) -> Ticks:
        if not self.names:
            return [(value, tick(value)) for value in self.few] or self.scale.ticks()
        return [(float(place), text) for place, (_, text) in enumerate(self.names)]


def span(values: Sequence[float], start: float, end: float, log: bool | None = None) -> Scale:
    """A scale for these values with a little room; logarithmic by `log`, or else where they span decades."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    spans = low > 0 and math.log10(high / low) >= DECADES
    is_log = low > 0 and (spans if log is None else log)
    if is_log:
        room = (high / low) ** 0.05 if high > low else 1.5
        return Scale(low / room, high * room, start, end, True)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return Scale(low - room, high + room, start, end)


def setting_axis(values: Sequence[Any], start: float, end: float) -> Settings:
    """The axis of a varied key with these values."""
    numbers = [value for value in values if number(value) is not None]
    places = sorted({float(value) for value in numbers})
    if len(numbers) == len(values) and len(places) > 1 and _is_even(places):
        return Settings(span(places, start, end, log=_is_evener_in_log(places)), (), _apart(places))
    known = {ABSENT if value == ABSENT else canonical(value): value for value in values}
    ordered = sorted(known.items(), key=lambda item: sorting(None if item[1] == ABSENT else item[1]))
    names = tuple((name, ABSENT if name == ABSENT else shown(value)) for name, value in ordered)
    return Settings(Scale(-0.5, len(names) - 0.5, start, end), names)


def _apart(places: Sequence[float]) -> tuple[float, ...]:
    """The values themselves, where they are few enough to be written beside an axis one by one."""
    if len(places) > MOST_OWN_TICKS:
        return ()
    scale = span(places, 0.0, 1.0, log=_is_evener_in_log(places))
    ends = [scale.place(value) for value in places]
    return tuple(places) if min(after - before for before, after in pairwise(ends)) > 0.1 else ()


def _is_even(numbers: Sequence[float]) -> bool:
    """Whether one linear or logarithmic axis shows them all: not where 0 stands beside decades."""
    above = [abs(value) for value in numbers if value]
    return min(numbers) > 0 or max(above) / min(above) < 10**DECADES


def _is_evener_in_log(places: Sequence[float]) -> bool:
    """Whether the neighbours' ratios vary less than their differences."""
    if places[0] <= 0 or places[-1] / places[0] < LEAST_LOG:
        return False
    gaps = [after - before for before, after in pairwise(places)]
    ratios = [math.log(after / before) for before, after in pairwise(places)]
    return max(ratios) / min(ratios) < max(gaps) / min(gaps)


def _steps(low: float, high: float, most: int) -> list[float]:
    width = (high - low) / most
    if not width > 0 or not math.isfinite(width):
        return [low]
    unit = 10 ** math.floor(math.log10(width))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= width * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [(first + k) * step for k in range(most + 2) if (first + k) * step <= high + 1e-9 * step]


def _log_steps(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    few: list[float] = []
    for factors in ((1,), (1, 3), (1, 2, 5)):
        few = [factor * 10.0**decade for decade in decades[:: max(1, len(decades) // 6)] for factor in factors]
        few = [value for value in few if low <= value <= high]
        if len(few) >= 4:
            break
    return few
