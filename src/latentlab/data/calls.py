"""Several batches to each training step: what a framework does around a step is paid once for all of them."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import final

from latentlab.data.loader import ResidentLoader
from latentlab.functional.batch import Batch


@final
class Calls:
    """The batches of a loader, handed out by `size`; each is cut when it is asked for, so none waits in memory.

    Args:
        loader: the batches.
        size: how many go into one call; the last call of a pass may have fewer.
        limit: how many batches of a pass are handed out; None: all.
    """

    def __init__(self, loader: ResidentLoader, size: int, limit: int | None = None) -> None:
        self._loader = loader
        self._size = size
        self.batches = len(loader) if limit is None else min(limit, len(loader))

    def __len__(self) -> int:
        return -(-self.batches // self._size)

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        batches = iter(self._loader)
        for first in batches:
            left = self.batches - self._loader.given
            yield chain([first], islice(batches, min(self._size - 1, left)))
            if self._loader.given >= self.batches:
                return

    def state_dict(self) -> dict[str, int]:
        """The loader's own place, in batches."""
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._loader.load_state_dict(state)
