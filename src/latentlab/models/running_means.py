"""Means over an epoch, kept as sums on the device and read once in a while: no host synchronisation in a step."""

import math
from typing import Any, NoReturn, final

import torch
from torch import Tensor

from latentlab.distributed import sum_over_devices
from latentlab.errors import NonFiniteObjective
from latentlab.precision import widest

WINDOW = 50  # steps between two looks at the device


@final
class RunningMeans:
    """Sums of per-image figures over an epoch and all devices, and the first step at which one was not finite.

    stage: the figures' prefix, for what is raised.
    window: steps between two looks at the device.
    """

    def __init__(self, stage: str, window: int = WINDOW) -> None:
        self.stage = stage
        self.window = window
        self.names: tuple[str, ...] = ()
        self._sums: Tensor | None = None  # (window, figures), of the steps since the last look
        self._steps: list[int] = []
        self._images = 0  # in these steps, on this device
        self._newest = 0  # in the newest of them
        self._totals: list[float] = []
        self._count = 0.0

    def add(self, figures: dict[str, Tensor], step: int) -> dict[str, float] | None:
        """Add one batch: each figure is (B,), one number an image.

        Returns the means over a window's steps where this step completes one.

        Raises:
            NonFiniteObjective: a figure of the last steps is NaN or infinite.
        """
        values = torch.stack(list(figures.values())).detach()
        if self._sums is None or self._sums.device != values.device:
            self.names = tuple(figures)
            self._sums = values.new_zeros(self.window, len(figures), dtype=torch.float32)
        torch.sum(values, 1, dtype=torch.float32, out=self._sums[len(self._steps)])
        self._steps.append(step)
        self._newest = values.shape[1]
        self._images += self._newest
        return self.flush() if len(self._steps) == self.window else None

    def latest(self, name: str) -> float | None:
        """The figure's mean over this device's images of the newest batch; None before the first. Synchronises."""
        if self._sums is None or not self._steps:
            return None
        return float(self._sums[len(self._steps) - 1, self.names.index(name)]) / max(self._newest, 1)

    def finish(self) -> dict[str, float]:
        """The mean of each figure over all images of all devices since the last call.

        Raises:
            NonFiniteObjective: a figure of the last steps is NaN or infinite.
        """
        self.flush()
        means = self._means(self._totals, self._count)
        self._clear()
        return means

    def flush(self) -> dict[str, float] | None:
        """Look at the device: the means over the steps since the last look; None where there are none.

        Raises:
            NonFiniteObjective: a figure of these steps is NaN or infinite.
        """
        if self._sums is None or not self._steps:
            return None
        sums = self._sums[: len(self._steps)].to(widest(self._sums.device)).sum(0)
        *new, count = sum_over_devices(torch.cat((sums, sums.new_full((1,), self._images)))).tolist()
        if not all(map(math.isfinite, new)):
            self._raise_first()
        self._totals = [total + one for total, one in zip(self._totals or [0.0] * len(new), new, strict=True)]
        self._count += count
        self._steps, self._images = [], 0
        return self._means(new, count)

    def state_dict(self) -> dict[str, Any]:
        self.flush()
        return {"names": list(self.names), "totals": list(self._totals), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._clear()
        self.names, self._totals, self._count = tuple(state["names"]), list(state["totals"]), state["count"]

    def _means(self, sums: list[float], count: float) -> dict[str, float]:
        return {name: total / max(count, 1) for name, total in zip(self.names, sums, strict=True)}

    def _clear(self) -> None:
        self._steps, self._images, self._totals, self._count = [], 0, [], 0.0

    def _raise_first(self) -> NoReturn:
        assert self._sums is not None
        bad = sum_over_devices((~self._sums[: len(self._steps)].isfinite()).to(torch.int32)).cpu()
        row, column = bad.nonzero()[0].tolist()
        raise NonFiniteObjective(self.stage, self.names[column], self._steps[row])
