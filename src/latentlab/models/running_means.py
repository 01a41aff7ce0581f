"""Means over an epoch, kept as sums on the device and read once in a while: no host synchronisation in a step."""

from typing import Any, final

import torch
from torch import Tensor

from latentlab.distributed import sum_over_devices
from latentlab.errors import NonFiniteObjective
from latentlab.precision import widest

WINDOW = 50  # steps between two looks at the device


@final
class RunningMeans:
    """Sums of per-image figures over an epoch, and the first step at which one was not finite."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.names: tuple[str, ...] = ()
        self._window: Tensor | None = None
        self._steps: list[int] = []
        self._totals: list[float] = []
        self._count = 0
        self._newest = 0  # images of the newest batch

    def add(self, figures: dict[str, Tensor], step: int) -> None:
        """Add one batch: each figure is (B,), one number an image.

        Raises:
            NonFiniteObjective: a figure of the last steps is NaN or infinite.
        """
        values = torch.stack(list(figures.values())).detach()
        if self._window is None or self._window.device != values.device:
            self.names = tuple(figures)
            self._window = values.new_zeros(WINDOW, len(figures), dtype=torch.float32)
        self._window[len(self._steps)] = values.sum(1)
        self._steps.append(step)
        self._newest = values.shape[1]
        self._count += self._newest
        if len(self._steps) == WINDOW:
            self.flush()

    def latest(self, name: str) -> float | None:
        """The figure's mean over this device's images of the newest batch; None before the first. Synchronises."""
        if self._window is None or not self._steps:
            return None
        return float(self._window[len(self._steps) - 1, self.names.index(name)]) / max(self._newest, 1)

    def finish(self) -> dict[str, float]:
        """The mean of each figure over all images of all devices since the last call.

        Raises:
            NonFiniteObjective: a figure of the last steps is NaN or infinite.
        """
        self.flush()
        totals = torch.tensor([*self._totals, self._count], dtype=torch.float64)
        if self._window is not None:
            totals = totals.to(self._window.device, widest(self._window.device))
        *sums, count = sum_over_devices(totals).tolist()
        self._clear()
        return {name: total / max(count, 1) for name, total in zip(self.names, sums, strict=True)}

    def state_dict(self) -> dict[str, Any]:
        self.flush()
        return {"names": list(self.names), "totals": list(self._totals), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._clear()
        self.names, self._totals, self._count = tuple(state["names"]), list(state["totals"]), state["count"]

    def _clear(self) -> None:
        self._steps, self._totals, self._count = [], [], 0

    def flush(self) -> None:
        if self._window is None or not self._steps:
            return
        window = self._window[: len(self._steps)]
        finite = sum_over_devices((~window.isfinite()).to(torch.int32)).cpu() == 0
        if not finite.all():
            row, column = (~finite).nonzero()[0].tolist()
            raise NonFiniteObjective(self.stage, self.names[column], self._steps[row])
        sums = window.to(widest(window.device)).sum(0).tolist()
        self._totals = [total + new for total, new in zip(self._totals or [0.0] * len(sums), sums, strict=True)]
        self._steps = []
