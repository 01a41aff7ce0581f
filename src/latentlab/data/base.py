"""The base of every image datamodule; a data set adds the loading of its images."""

import logging
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from latentlab.data.calls import Calls
from latentlab.data.copied_ahead import fits
from latentlab.data.images import Images, Splits, classes_in_turn
from latentlab.data.loader import Binarize, ResidentLoader, binarization, binarized, to_floats
from latentlab.data.memory_limit import is_large
from latentlab.errors import DataError
from latentlab.functional.batch import Batch
from latentlab.functional.randomness import RandomSource, seed_from

EVALUATION_BATCH = 1000

log = logging.getLogger(__name__)


class ImageDataModule(LightningDataModule, ABC):
    """All images as rows of uint8 tensors on the training device, where batches are indexed and converted to floats.

    After `setup`: `image_shape` (C, H, W), and `train`, `validation` and `test`, each `Images`. A subclass sets
    `name` and `class_names`, and `image_shape` where it is known before the images are loaded, and implements `_load`.
    `batches_per_call` and `keep_batches` determine how `train_dataloader` groups the batches: see `Calls`.

    Each process holds all images and selects its own rows of every batch, so the trainer needs
    `use_distributed_sampler=False`. Images that do not fit on the device stay in host memory, with the same batches:
    `on_device` is False for those, True for images on the device, None for what their size and its memory suggest.

    Args:
        batch_size: images per training batch, over all devices; evaluation has batches of 1,000.
        binarize: null for grey levels, "threshold" for x >= 0.5, "dynamic" for a draw from Bernoulli(x), new
            in each epoch of training and the same in every evaluation.
        labels: whether batches have labels; without them every `y` is -1.
        seed: of the order and the draws of training.
        split_seed: of the division into training and validation, and of the draws of evaluation.

    Raises:
        ValueError: a value out of range.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    batches_per_call: int = 1
    keep_batches: bool = False
    on_device: bool | None = None

    def __init__(
        self, batch_size: int = 128, binarize: Binarize = None, labels: bool = True, seed: int = 0, split_seed: int = 0
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, found {batch_size}")
        self.batch_size = batch_size
        self.binarize = binarization(binarize)
        self.labels = labels
        self.seed = seed
        self.split_seed = split_seed
        self._splits: Splits | None = None
        self._fingerprint: str | None = None

    @abstractmethod
    def _load(self) -> Splits:
        """All images with their labels, on the CPU, divided by `split_seed`; raises DataError."""

    def setup(self, stage: str | None = None) -> None:
        """Load and divide the images; a second call does nothing.

        Raises:
            DataError: files are missing or damaged.
        """
        if self._splits is not None:
            return
        splits = self._load()
        shapes = {name: images.shape for name, images in splits._asdict().items()}
        if len(set(shapes.values())) > 1:
            raise DataError(f"data: expected images of one shape, found {shapes}")
        self._showcase_order = classes_in_turn(splits.validation.labels)
        self._splits = splits if self.labels else Splits(*(images.unlabelled() for images in splits))
        self.image_shape = splits.train.shape

    @property
    def num_classes(self) -> int:
        """The number of classes; 0 without labels."""
        return len(self.class_names) if self.labels else 0

    def fingerprint(self) -> str:
        """Eight hexadecimal digits, a CRC-32 of the images and labels of all splits."""
        if self._fingerprint is None:
            checksum = 0
            for images in self._loaded():
                for part in chain(images.chunks(), [images.labels]):
                    checksum = zlib.crc32(part.cpu().numpy().data, checksum)
            self._fingerprint = f"{checksum:08x}"
        return self._fingerprint

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of the data; a resumed run compares the fingerprint with that of its images."""
        return {"fingerprint": self.fingerprint(), "seed": self.seed}

    @property
    def train(self) -> Images:
        """The training images."""
        return self._placed().train

    @property
    def validation(self) -> Images:
        """The images for model selection: of the best epoch and of a search's trials."""
        return self._placed().validation

    @property
    def test(self) -> Images:
        """The test images."""
        return self._placed().test

    def train_dataloader(self) -> Calls:
        """Shuffled by (seed, epoch) alone; the epoch is the trainer's, or 0 without one."""
        loader = self._loader(self.train, "train", self.batch_size, self.seed, self._epoch)
        limit = None if self.trainer is None else self.trainer.limit_train_batches
        # Lightning applies a fraction to the calls itself, but would interpret a number of batches as one of calls
        return Calls(loader, self.batches_per_call, limit if isinstance(limit, int) else None, self.keep_batches)

    def val_dataloader(self) -> ResidentLoader:
        """The validation images in order, with the same draws in every epoch and run."""
        return self.evaluation_loader(self.validation, "validation")

    def test_dataloader(self) -> ResidentLoader:
        """The test images in order, with the same draws in every run."""
        return self.evaluation_loader(self.test, "test")

    def evaluation_loader(self, images: Images, stage: str, device: torch.device | None = None) -> ResidentLoader:
        """Images in order, in batches of 1,000; the draws depend on `stage` and `split_seed` alone.

        device: of the batches; None: the one that trains.
        """
        return self._loader(images, stage, EVALUATION_BATCH, self.split_seed, device=device)

    def showcase(self, count: int) -> Batch:
        """`count` validation images, one of each class in turn: the same in every run and on every device."""
        images = self.validation
        shown = images.take(self._showcase_order[:count].to(images.labels.device)).to(self._device())
        random = RandomSource(seed_from(self.split_seed, "showcase"), self._device())
        x = binarized(to_floats(shown.pixels), self.binarize, random)
        return Batch(x, shown.labels, len(shown.labels), random)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """The batch itself, which is created on its device."""
        return batch

    def _loader(
        self,
        images: Images,
        stage: str,
        batch_size: int,
        seed: int,
        epoch: Callable[[], int] | None = None,
        device: torch.device | None = None,
    ) -> ResidentLoader:
        device = device or self._device()
        return ResidentLoader(
            images,
            batch_size=batch_size,
            seed=seed,
            stage=stage,
            epoch=epoch,
            binarize=self.binarize,
            rank=0 if self.trainer is None else self.trainer.global_rank,
            world_size=1 if self.trainer is None else self.trainer.world_size,
            # from the CPU's own memory a thread that copies takes time from the training, but not from a disk
            device=device if images.labels.device != device or is_large(images.nbytes) else None,
        )

    def _loaded(self) -> Splits:
        if self._splits is None:
            raise RuntimeError(f"{type(self).__name__}.setup() has not been called")
        return self._splits

    def _placed(self) -> Splits:
        splits, device = self._loaded(), self._device()
        if self.on_device is None and not fits(splits, device):
            log.info("the images do not fit on %s: they stay in host memory, and batches are copied ahead", device)
            self.on_device = False
        if self.on_device is not False:
            self._splits = Splits(*(images.to(device) for images in splits))
        return self._loaded()

    def _device(self) -> torch.device:
        return torch.device("cpu") if self.trainer is None else self.trainer.strategy.root_device

    def _epoch(self) -> int:
        return 0 if self.trainer is None else self.trainer.current_epoch
