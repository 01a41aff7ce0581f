"""Axes: from values to pixels, and which values are written beside them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

from latentlab.report.reading.groups import ABSENT, shown, sorting
from latentlab.report.statistics.measures import tick
from latentlab.runs.documents import number
from latentlab.runs.identity import canonical

DECADES = 1.4  # of values before their axis becomes logarithmic: a factor of 25
MAX_OWN_TICKS = 8
MAX_STEPS = 6  # between the ticks of a linear axis
MAX_WHOLE = 12  # points; of more, those far from the others are drawn at the frame
MAX_NUMBERS = 24  # values of one key in a grid
MIN_LOG = 4  # ratio of the ends of a logarithmic axis of settings
SURELY_LOG = 100  # ratio of the ends above which uneven values are logarithmic
Ticks = list[tuple[float, str]]  # pixel, text


@final
@dataclass(frozen=True)
class NumberAxis:
    """Values between low and high on pixels between start and end."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False
    is_whole: bool = False  # of counts: ticks are whole numbers

    def pixel(self, value: float) -> float:
        """The pixel of a value, at most one length of the axis beyond its ends."""
        low, high = self._bent(self.low), self._bent(self.high)
        fraction = (self._bent(value) - low) / (high - low) if high > low else 0.5
        return self.start + min(max(fraction, -1.0), 2.0) * (self.end - self.start)

    def inner_pixel(self, value: float) -> float:
        """The pixel of a value, or the nearer end of the axis where it lies beyond them."""
        return min(max(self.pixel(value), min(self.start, self.end)), max(self.start, self.end))

    def tick_values(self) -> list[float]:
        """Round values."""
        values = _log_steps(self.low, self.high) if self.is_log else []
        if len(values) < 2:
            values = _steps(self.low, self.high, least=1.0 if self.is_whole else 0.0)
        return [value for value in values if value >= 0 and value == round(value)] if self.is_whole else values

    def ticks(self) -> Ticks:
        return [(self.pixel(value), tick(value)) for value in self.tick_values()]

    def _bent(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.is_log else value


@final
@dataclass(frozen=True)
class SettingAxis:
    """The axis of a varied key: numbers by size, or else its values side by side in order."""

    numbers: NumberAxis  # of the values themselves, or of their indices among `names`
    names: Mapping[str, str]  # canonical value -> text; none for numbers
    few: tuple[float, ...] = ()  # numbers that are so few that each has its tick

    def has(self, value: Any) -> bool:
        """Whether the axis shows this setting; an axis of numbers does not show `ABSENT`, an absent key."""
        return canonical(value) in self.names if self.names else value != ABSENT

    def pixel(self, value: Any) -> float:
        """The pixel of a setting that the axis has."""
        return self.numbers.pixel([*self.names].index(canonical(value)) if self.names else float(value))

    def ticks(self) -> Ticks:
        if self.names:
            return [(self.numbers.pixel(index), text) for index, text in enumerate(self.names.values())]
        return [(self.numbers.pixel(value), tick(value)) for value in self.few] or self.numbers.ticks()


def span(values: Sequence[float], start: float, end: float, log: bool | None = None) -> NumberAxis:
    """An axis for these values with a little room; logarithmic by `log`, or if None where they span decades."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    spans = low > 0 and math.log10(high / low) >= DECADES
    is_log = low > 0 and (spans if log is None else log)
    if is_log:
        room = (high / low) ** 0.05 if high > low else 1.5
        return NumberAxis(low / room, high * room, start, end, True)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return NumberAxis(low - room, high + room, start, end)


def counts(values: Sequence[float], start: float, end: float) -> NumberAxis:
    """An axis of counts: epochs, trials."""
    return replace(span(values, start, end, log=False), is_whole=True)


def typical(values: Sequence[float]) -> list[float]:
    """The ends of all values but the few that would flatten the others, such as a first epoch far above the rest."""
    ordered = sorted(values)
    if len(ordered) < 8:
        return ordered
    low, high = ordered[0], ordered[-1]
    middle, most = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
    least = ordered[int(0.05 * (len(ordered) - 1))]
    high = min(high, most + 1.5 * (most - middle)) if most > middle else high
    low = max(low, least - 1.5 * (middle - least)) if middle > least else low
    return [low, high]


def is_continuous(values: Sequence[Any]) -> bool:
    """Whether these settings are numbers almost all of which differ, as a search draws them."""
    numbers = [found for value in values if (found := number(value)) is not None]
    return len(set(numbers)) > min(MAX_NUMBERS, max(MAX_OWN_TICKS, len(numbers) / 2))


def setting_axis(values: Sequence[Any], start: float, end: float) -> SettingAxis:
    """The axis of a varied key with these values; `ABSENT` is left out where the others are many numbers."""
    are_many = is_continuous(values)
    if are_many:
        values = [value for value in values if value != ABSENT]
    numbers = [value for value in values if number(value) is not None]
    distinct = sorted({float(value) for value in numbers})
    if len(numbers) == len(values) and len(distinct) > 1 and (are_many or _fit_one_axis(distinct)):
        axis = span(distinct, start, end, log=_is_evener_in_log(distinct))
        return SettingAxis(axis, {}, tuple(distinct) if _are_apart(distinct, axis) else ())
    return name_axis(values, start, end)


def name_axis(values: Iterable[Any], start: float, end: float) -> SettingAxis:
    """The axis of a varied key whose values are side by side in order, each on an equal part of it."""
    distinct = {canonical(value): value for value in values}
    ordered = sorted(distinct.items(), key=lambda item: sorting(None if item[1] == ABSENT else item[1]))
    names = {name: shown(value) for name, value in ordered}
    return SettingAxis(NumberAxis(-0.5, len(names) - 0.5, start, end), names)


def _are_apart(values: Sequence[float], axis: NumberAxis) -> bool:
    """Whether these ordered values are so few and so far apart that each can have its tick."""
    gaps = [abs(axis.pixel(after) - axis.pixel(before)) for before, after in pairwise(values)]
    return len(values) <= MAX_OWN_TICKS and min(gaps) > 0.1 * abs(axis.end - axis.start)


def _fit_one_axis(values: Sequence[float]) -> bool:
    """Whether one linear or logarithmic axis shows all: not where 0 is among values that span decades."""
    above = [abs(value) for value in values if value]
    return min(values) > 0 or max(above) / min(above) < 10**DECADES


def _is_evener_in_log(values: Sequence[float]) -> bool:
    """Whether these ordered values are spaced more evenly by their ratios than by their differences."""
    if values[0] <= 0 or values[-1] / values[0] < MIN_LOG:
        return False
    unevenness = _unevenness(values)
    if values[-1] / values[0] > SURELY_LOG and unevenness > 0.08 + 0.6 / math.sqrt(len(values)):
        return True  # also where a search drew most values near the largest
    return _unevenness([math.log(value) for value in values]) < unevenness


def _unevenness(values: Sequence[float]) -> float:
    """How far any of these ordered values is from where equal spacing would put it, as a fraction of their range."""
    length, last = values[-1] - values[0], len(values) - 1
    return max(abs((value - values[0]) / length - k / last) for k, value in enumerate(values))


def _steps(low: float, high: float, least: float) -> list[float]:
    """A few multiples of a round step, which is at least `least`."""
    width = max((high - low) / MAX_STEPS, least)
    if not width > 0 or not math.isfinite(width):
        return [low]
    unit = 10 ** math.floor(math.log10(width))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= width * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [(first + k) * step for k in range(MAX_STEPS + 2) if (first + k) * step <= high + 1e-9 * step]


def _log_steps(low: float, high: float) -> list[float]:
    """Powers of ten, with as many values between them as make four."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    few: list[float] = []
    for factors in ((1,), (1, 3), (1, 2, 5)):
        if len(few) < 4:
            values = [factor * 10.0**decade for decade in decades[:: max(1, len(decades) // 6)] for factor in factors]
            few = [value for value in values if low <= value <= high]
    return few
