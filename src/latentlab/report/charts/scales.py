"""From values to places on an axis, and which values are written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

from latentlab.report.reading.groups import ABSENT, shown, sorting
from latentlab.report.statistics.measures import tick
from latentlab.runs.documents import number
from latentlab.runs.identity import canonical

DECADES = 1.4  # spanned before an axis becomes logarithmic: a factor of 25
MOST_OWN_TICKS = 8
MOST_WHOLE = 12  # points before those far from the others are drawn at the frame
MOST_NUMBERS = 24  # of a grid's key
LEAST_LOG = 4  # between the ends of an axis of settings
SURELY_LOG = 100  # as long as chance would not leave them so uneven
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
    is_whole: bool = False  # of counted things: ticks are whole numbers

    def place(self, value: float) -> float:
        """The pixel of a value, within the range of one axis' length on either side."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, -1.0), 2.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> Ticks:
        """Round values and their texts."""
        least = 1.0 if self.is_whole else 0.0
        values = _log_steps(self.low, self.high) if self.is_log else _steps(self.low, self.high, most, least)
        if len(values) < 2:
            values = _steps(self.low, self.high, most, least)
        if self.is_whole:
            values = [value for value in values if value >= 0 and value == round(value)]
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


def counts(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for what is counted: epochs, trials."""
    return replace(span(values, start, end, log=False), is_whole=True)


def typical(values: Sequence[float]) -> list[float]:
    """The ends of all but the few that would flatten the others: a first epoch far above the rest."""
    ordered = sorted(values)
    if len(ordered) < 8:
        return ordered
    low, high = ordered[0], ordered[-1]
    middle, most = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
    least = ordered[int(0.05 * (len(ordered) - 1))]
    high = min(high, most + 1.5 * (most - middle)) if most > middle else high
    low = max(low, least - 1.5 * (middle - least)) if middle > least else low
    return [low, high]


def within(place: float, one: float, other: float) -> float:
    """The place, or the nearer of the two ends where it lies beyond them."""
    return min(max(place, min(one, other)), max(one, other))


def is_continuous(values: Sequence[Any]) -> bool:
    """Whether these settings are numbers of which hardly two are the same, as a search draws them."""
    numbers = [found for value in values if (found := number(value)) is not None]
    return len(set(numbers)) > min(MOST_NUMBERS, max(MOST_OWN_TICKS, len(numbers) / 2))


def setting_axis(values: Sequence[Any], start: float, end: float) -> Settings:
    """The axis of a varied key with these values."""
    numbers = [value for value in values if number(value) is not None]
    places = sorted({float(value) for value in numbers})
    if len(numbers) == len(values) and len(places) > 1 and (_is_even(places) or is_continuous(values)):
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
    """Whether they lie more evenly by their ratios than by their differences, or span decades and lie uneven."""
    if places[0] <= 0 or places[-1] / places[0] < LEAST_LOG:
        return False
    uneven = _unevenness(places)
    if places[-1] / places[0] > SURELY_LOG and uneven > 0.08 + 0.6 / math.sqrt(len(places)):
        return True  # also of a search that went on among the largest
    return _unevenness([math.log(place) for place in places]) < uneven


def _unevenness(places: Sequence[float]) -> float:
    """How far any of these ordered places is from where it stood if all were equally far apart."""
    length, last = places[-1] - places[0], len(places) - 1
    return max(abs((place - places[0]) / length - k / last) for k, place in enumerate(places))


def _steps(low: float, high: float, most: int, least: float = 0.0) -> list[float]:
    width = max((high - low) / most, least)
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
