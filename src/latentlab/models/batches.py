"""The batches of a validation or a test, for measurements that pass over them again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, final

from lightning.pytorch import LightningModule

from latentlab.functional.batch import Batch
from latentlab.functional.plain_batches import as_batch


@final
@dataclass(frozen=True)
class Batches:
    """The batches of any DataLoader, on the model's device, as often as they are asked for."""

    model: LightningModule
    loader: Iterable[Any]

    def __iter__(self) -> Iterator[Batch]:
        for given in self.loader:
            is_own = isinstance(given, Batch)
            yield given if is_own else as_batch(self.model.transfer_batch_to_device(given, self.model.device, 0))
