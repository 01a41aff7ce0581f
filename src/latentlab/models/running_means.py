"""Means over an epoch, accumulated on the device and read once per window of steps, to avoid synchronisation."""

import math
from typing import Any, NoReturn, final

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.errors import NonFiniteObjective
from latentlab.functional.distributed import sum_over_devices
from latentlab.functional.precision import widest

WINDOW = 50  # steps between two reads from the device


@final
class RunningMeans:
    """Sums of per-image metrics over an epoch and all devices, and the first step at which one was not finite.

    stage: the metrics' prefix, for error messages.
    window: steps between two reads from the device.
    """

    def __init__(self, stage: str, window: int = WINDOW) -> None:
        self.stage = stage
        self.window = window
        self.names: tuple[str, ...] = ()
        self._sums: list[tuple[Tensor, ...]] = []  # of each step since the last read
        self._steps: list[int] = []
        self._images = 0  # in these steps, on this device
        self._latest_images = 0  # in the latest of them
        self._totals: list[float] = []
        self._count = 0.0

    def add(self, metrics: dict[str, Tensor], step: int) -> dict[str, float] | None:
        """Add one batch: each metric is (B,), one value per image. See `add_sums`."""
        values = torch.stack(list(metrics.values()))
        return self.add_sums(tuple(metrics), (values.sum(1),), values.shape[1], step)

    def add_sums(
        self, names: tuple[str, ...], sums: tuple[Tensor, ...], images: int, step: int
    ) -> dict[str, float] | None:
        """Add one batch of `images`: `sums` hold, concatenated, each metric's sum over them.

        Returns the means over a window's steps where this step completes one.

        Raises:
            NonFiniteObjective: a metric of the last steps is NaN or infinite.
        """
        self.names = names
        self._sums.append(tuple(each.detach() for each in sums))
        self._steps.append(step)
        self._latest_images = images
        self._images += images
        return self.flush() if len(self._steps) == self.window else None

    def latest(self, name: str) -> float | None:
        """The metric's mean over this device's images of the latest batch; None before the first. Synchronises."""
        if not self._steps:
            return None
        return float(self._table(self._sums[-1:])[0, self.names.index(name)]) / max(self._latest_images, 1)

    def finish(self) -> dict[str, float]:
        """The mean of each metric over all images of all devices since the last call.

        Raises:
            NonFiniteObjective: a metric of the last steps is NaN or infinite.
        """
        self.flush()
        means = self._means(self._totals, self._count)
        self._totals, self._count = [], 0.0
        return means

    def flush(self) -> dict[str, float] | None:
        """Read from the device: the means over the steps since the last read; None where there are none.

        Raises:
            NonFiniteObjective: a metric of these steps is NaN or infinite.
        """
        if not self._steps:
            return None
        table = self._table(self._sums)
        sums = table.sum(0)
        *new, count = sum_over_devices(torch.cat((sums, sums.new_full((1,), self._images)))).tolist()
        if not all(map(math.isfinite, new)):
            self._raise_first(table)
        self._totals = [total + one for total, one in zip(self._totals or [0.0] * len(new), new, strict=True)]
        self._count += count
        self._sums, self._steps, self._images = [], [], 0
        return self._means(new, count)

    @property
    def has_values(self) -> bool:
        """Whether anything was added since the last `finish`."""
        return bool(self._sums or self._totals)

    def state_dict(self) -> dict[str, Any]:
        self.flush()
        return {"names": list(self.names), "totals": list(self._totals), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums, self._steps, self._images = [], [], 0
        self.names, self._totals, self._count = tuple(state["names"]), list(state["totals"]), state["count"]

    def _means(self, sums: list[float], count: float) -> dict[str, float]:
        return {name: total / max(count, 1) for name, total in zip(self.names, sums, strict=True)}

    def _table(self, sums: list[tuple[Tensor, ...]]) -> Float[Tensor, "steps metrics"]:
        flat = torch.cat([each.reshape(-1) for step in sums for each in step])
        return flat.to(widest(flat.device)).unflatten(0, (len(sums), -1))

    def _raise_first(self, table: Float[Tensor, "steps metrics"]) -> NoReturn:
        bad = sum_over_devices((~table.isfinite()).to(torch.int32)).cpu()
        row, column = bad.nonzero()[0].tolist()
        raise NonFiniteObjective(self.stage, self.names[column], self._steps[row])
