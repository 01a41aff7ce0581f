"""Schedules of a term's weight and of the learning rate, as pure functions of the step.

Steps count from 0, over the whole run.
"""

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

FINAL_STEP = sys.maxsize  # at this step every weight schedule has its final value: objectives are then comparable


class WeightSchedule(ABC):
    """A factor of a term's weight by step, which is constant after some step."""

    @abstractmethod
    def __call__(self, step: int) -> float:
        """The factor at a step."""


@final
@dataclass(frozen=True)
class Constant(WeightSchedule):
    """1 at every step."""

    def __call__(self, step: int) -> float:
        return 1.0


@final
@dataclass(frozen=True)
class LinearWarmup(WeightSchedule):
    """From 0 to 1 linearly within `steps` steps, then 1: warm-up, Sønderby et al. 2016.

    steps: optimizer steps of the rise.

    Raises ValueError for fewer than one step.
    """

    steps: int

    def __post_init__(self) -> None:
        _check(self.steps >= 1, "steps", "at least 1", self.steps, "for no warm-up choose constant")

    def __call__(self, step: int) -> float:
        return min(1.0, step / self.steps)


@final
@dataclass(frozen=True)
class Cyclical(WeightSchedule):
    """`cycles` times from 0 to 1, then 1: Fu et al. 2019.

    period: optimizer steps of one cycle.
    ramp: the fraction of a cycle within which the weight rises linearly; for the rest of the cycle it is 1.
    cycles: how often it rises.
    Raises ValueError for less than one step or cycle, or a ramp outside (0, 1].
    """

    period: int
    ramp: float
    cycles: int

    def __post_init__(self) -> None:
        _check(self.period >= 1, "period", "at least 1", self.period, "try the steps of an epoch")
        _check(0 < self.ramp <= 1, "ramp", "above 0, at most 1", self.ramp, "0.5 is usual")
        _check(self.cycles >= 1, "cycles", "at least 1", self.cycles, "4 is usual")

    def __call__(self, step: int) -> float:
        if step >= self.period * self.cycles:
            return 1.0
        return min(1.0, (step % self.period) / (self.ramp * self.period))


class RateSchedule(ABC):
    """A factor of the optimizer's learning rate, by step and length of the run.

    After the last step, `total - 1`, it is constant: Lightning steps the scheduler once more than needed.
    """

    @abstractmethod
    def __call__(self, step: int, total: int) -> float:
        """The factor at a step of a run of `total` steps."""


@final
@dataclass(frozen=True)
class ConstantRate(RateSchedule):
    """1 at every step."""

    def __call__(self, step: int, total: int) -> float:
        return 1.0


@final
@dataclass(frozen=True)
class CosineRate(RateSchedule):
    """Up to 1 linearly, then down to `final` on half a cosine: Loshchilov & Hutter 2017, without restarts.

    warmup: the fraction of the run within which the rate rises; not from 0, which would waste the first step.
    final: the factor at the last step.
    Raises ValueError for a warmup outside [0, 1) or a final outside [0, 1].
    """

    warmup: float
    final: float

    def __post_init__(self) -> None:
        _check_warmup(self.warmup)
        _check_factor("final", self.final)

    def __call__(self, step: int, total: int) -> float:
        """The peak is at step warmup * (total - 1)."""
        last = total - 1
        peak = self.warmup * last
        if step < peak:
            return (step + 1) / (peak + 1)
        if last == 0:
            return 1.0
        return _cosine(1.0, self.final, (step - peak) / (last - peak))


@final
@dataclass(frozen=True)
class OneCycleRate(RateSchedule):
    """From `start` up to 1, then down to `final`, each on half a cosine: Smith & Topin 2018.

    As torch's OneCycleLR, but with constant momentum.
    warmup: the fraction of the run within which the rate rises.
    start: the factor at the first step.
    final: the factor at the last step.
    Raises ValueError for a warmup outside [0, 1), or a start or final outside [0, 1].
    """

    warmup: float
    start: float
    final: float

    def __post_init__(self) -> None:
        _check_warmup(self.warmup)
        _check_factor("start", self.start)
        _check_factor("final", self.final)

    def __call__(self, step: int, total: int) -> float:
        """The peak is at step warmup * total - 1."""
        peak = self.warmup * total - 1
        if step < peak:
            return _cosine(self.start, 1.0, step / peak)
        return _cosine(1.0, self.final, (step - peak) / (total - 1 - peak))


def _cosine(start: float, end: float, progress: float) -> float:
    """From `start` at progress 0 to `end` at 1 and beyond, flat at both."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _check(holds: bool, name: str, expected: str, found: float, hint: str) -> None:
    if not holds:
        raise ValueError(f"{name}: expected {expected}, found {found}; {hint}")


def _check_warmup(warmup: float) -> None:
    _check(0 <= warmup < 1, "warmup", "a fraction from 0 to below 1", warmup, "0.05 is usual")


def _check_factor(name: str, factor: float) -> None:
    _check(0 <= factor <= 1, name, "a factor from 0 to 1", factor, "0.01 is usual")
