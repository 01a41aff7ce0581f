"""Several batches for each call of the training step, whose overhead in Lightning then occurs once per call.

Keras calls this `steps_per_execution`.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import final

from latentlab.data.loader import ResidentLoader
from latentlab.functional.batch import Call


@final
class Calls:
    """The batches of a loader in groups of `size`, one group for each call of the training step.

    A group of one is the batch itself. A larger group is an iterator, which creates each batch when it is requested,
    so that one batch at a time is in memory, or, with `kept`, a tuple of the batches.

    Args:
        loader: the batches.
        size: batches in a call; the last call of a pass may have fewer.
        limit: number of batches of a pass that are used; None: all.
        kept: whether a call's batches can still be read after the training step.
    """

    def __init__(self, loader: ResidentLoader, size: int, limit: int | None = None, kept: bool = False) -> None:
        self._loader = loader
        self._size = size
        self._kept = kept
        self.batches = len(loader) if limit is None else min(limit, len(loader))

    def __len__(self) -> int:
        return -(-self.batches // self._size)

    def __iter__(self) -> Iterator[Call]:
        batches = iter(self._loader)  # shared by all calls of the pass
        for first in batches:
            left = self.batches - self._loader.yielded  # after `first`: a resumed pass may start at any batch
            call = chain([first], islice(batches, min(self._size - 1, left)))
            yield first if self._size == 1 else tuple(call) if self._kept else call
            if self._loader.yielded >= self.batches:
                return

    def state_dict(self) -> dict[str, int]:
        """The loader's position, in batches."""
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._loader.load_state_dict(state)
