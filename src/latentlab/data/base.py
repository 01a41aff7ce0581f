"""What every image datamodule does; a dataset adds where its images come from."""

import zlib
from abc import ABC, abstractmethod
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from latentlab.data.calls import Calls
from latentlab.data.images import Images, Splits, classes_in_turn
from latentlab.data.loader import Binarize, ResidentLoader, binarization, binarized, to_floats
from latentlab.errors import ConfigError
from latentlab.functional.batch import Batch
from latentlab.functional.randomness import RandomSource, seed_from

EVALUATION_BATCH = 1000


class ImageDataModule(LightningDataModule, ABC):
    """Images held whole on the training device, as bytes, and cut into batches there.

    After `setup`: `image_shape` (C, H, W), `num_classes` (0 where labels are withheld), and `train`,
    `validation` and `test`, each `Images`. A subclass sets `name` and `class_names`, and loads.
    `steps_per_call` says how many batches `train_dataloader` hands out at a time.

    Several devices each hold everything and take their own share of every batch, so the trainer must be told
    `use_distributed_sampler=False`.

    Args:
        batch_size: images in a training batch over all devices; evaluation takes 1,000 at a time.
        binarize: null for grey levels, "threshold" for x >= 0.5, "dynamic" for a draw from Bernoulli(x), new
            in each epoch of training and the same in every evaluation.
        labels: whether the labels are given out; without them every `y` is -1.
        seed: what the order and the draws of training depend on.
        split_seed: what the division into training and validation, and the draws of evaluation, depend on.

    Raises:
        ConfigError: a value out of range.
    """

    name: str
    class_names: tuple[str, ...]
    steps_per_call: int = 1

    def __init__(
        self,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ConfigError(f"data.batch_size: expected at least 1, found {batch_size}")
        self.batch_size = batch_size
        self.binarize = binarization(binarize)
        self.labels = labels
        self.seed = seed
        self.split_seed = split_seed
        self._splits: Splits | None = None

    @abstractmethod
    def _load(self) -> Splits:
        """All images with their labels, on the CPU, divided by `split_seed`; raises DataError."""

    def setup(self, stage: str | None = None) -> None:
        """Load and divide the images; does nothing the second time.

        Raises:
            DataError: files are missing or damaged.
        """
        if self._splits is not None:
            return
        splits = self._load()
        self._showcase_order = classes_in_turn(splits.validation.labels)
        self._splits = splits if self.labels else Splits(*(part.unlabelled() for part in splits))
        channels, height, width = splits.train.pixels.shape[1:]
        self.image_shape = (channels, height, width)
        self.num_classes = len(self.class_names) if self.labels else 0

    def fingerprint(self) -> str:
        """Eight digits that differ where the images or labels of any split differ."""
        if self._splits is None:
            raise RuntimeError(f"{type(self).__name__}.setup() has not been called")
        checksum = 0
        for part in self._splits:
            for tensor in part:
                checksum = zlib.crc32(tensor.cpu().contiguous().numpy().tobytes(), checksum)
        return f"{checksum:08x}"

    @property
    def train(self) -> Images:
        """The images to train on."""
        return self._on_device().train

    @property
    def validation(self) -> Images:
        """The images to choose by."""
        return self._on_device().validation

    @property
    def test(self) -> Images:
        """The images of the final test."""
        return self._on_device().test

    def train_dataloader(self) -> Calls:
        """Shuffled by (seed, epoch) alone; the epoch is the trainer's, or 0 without one."""
        loader = ResidentLoader(
            self.train,
            batch_size=self.batch_size,
            seed=self.seed,
            stage="train",
            epoch=self._epoch,
            binarize=self.binarize,
            rank=self._rank(),
            world_size=self._world_size(),
        )
        limit = None if self.trainer is None else self.trainer.limit_train_batches
        # Lightning takes a share of the calls itself; a number of batches it would take for one of calls
        return Calls(loader, self.steps_per_call, limit if isinstance(limit, int) else None)

    def val_dataloader(self) -> ResidentLoader:
        """The validation images in order, with the same draws in every epoch and run."""
        return self._evaluation_loader(self.validation, "validation")

    def test_dataloader(self) -> ResidentLoader:
        """The test images in order, each once, with the same draws in every run."""
        return self._evaluation_loader(self.test, "test")

    def showcase(self, count: int) -> Batch:
        """`count` validation images with the classes in turn: the same in every run and on every device."""
        shown = self.validation.take(self._showcase_order[:count].to(self._device()))
        random = RandomSource(seed_from(self.split_seed, "showcase"), self._device())
        x = binarized(to_floats(shown.pixels), self.binarize, random)
        return Batch(x, shown.labels, len(shown.labels), random)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """The batch as it is: it was cut on its device."""
        return batch

    def _evaluation_loader(self, images: Images, stage: str) -> ResidentLoader:
        return ResidentLoader(
            images,
            batch_size=EVALUATION_BATCH,
            seed=self.split_seed,
            stage=stage,
            binarize=self.binarize,
            rank=self._rank(),
            world_size=self._world_size(),
        )

    def _on_device(self) -> Splits:
        if self._splits is None:
            raise RuntimeError(f"{type(self).__name__}.setup() has not been called")
        self._splits = Splits(*(part.to(self._device()) for part in self._splits))
        return self._splits

    def _device(self) -> torch.device:
        return torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device

    def _rank(self) -> int:
        return 0 if self.trainer is None else self.trainer.global_rank

    def _world_size(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size

    def _epoch(self) -> int:
        return 0 if self.trainer is None else self.trainer.current_epoch
