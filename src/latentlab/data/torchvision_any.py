"""Any classification set of torchvision's, by its name, with its official splits."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torchvision
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor
from torchvision import datasets

from latentlab.data.decoded_cache import kept
from latentlab.data.decoding import PixelFormat, decoded
from latentlab.data.download import download
from latentlab.data.images import Images, Splits
from latentlab.data.loader import Binarize
from latentlab.data.splitting import SplittingDataModule
from latentlab.errors import DataError, first_line, nearest, unknown

_BY_TRAIN = {"train": {"train": True}, "test": {"train": False}}
_TWO = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE = {"train": {"split": "train"}, "validation": {"split": "val"}, "test": {"split": "test"}}
# the arguments for each official split
DATASETS: dict[str, dict[str, dict[str, Any]]] = {
    **dict.fromkeys(("CIFAR10", "CIFAR100", "FashionMNIST", "KMNIST", "MNIST", "USPS"), _BY_TRAIN),
    **dict.fromkeys(("FER2013", "Food101", "GTSRB", "STL10", "SVHN", "StanfordCars"), _TWO),
    **dict.fromkeys(("DTD", "FGVCAircraft", "Flowers102", "PCAM", "RenderedSST2"), _THREE),
    "Country211": {"train": {"split": "train"}, "validation": {"split": "valid"}, "test": {"split": "test"}},
    "Imagenette": {"train": {"split": "train"}, "validation": {"split": "val"}},
    "OxfordIIITPet": {"train": {"split": "trainval"}, "test": {"split": "test"}},
    "Caltech101": {"train": {}},
    "EuroSAT": {"train": {}},
    "SEMEION": {"train": {}},
}
DOWNLOADS = frozenset(DATASETS) - {"FER2013", "StanfordCars"}  # the others must be fetched by hand
# what their constructors raise for missing or damaged files, and for a package that they need
ERRORS = (OSError, RuntimeError, ValueError, ImportError, LookupError, EOFError)


@final
class TorchvisionDataModule(SplittingDataModule):
    """A set of torchvision's; the validation and test images that it lacks are drawn from its training images.

    Args:
        root: the folder in torchvision's layout; missing files are downloaded to it.
        dataset: the name of torchvision's class, such as CIFAR10 or SVHN.
        crop: whether to cut out the square in the middle before an image is resized, instead of stretching it.
        channels: 1 for grey levels, 3 for colours.
        cache: a folder that keeps the decoded images; null: they are decoded in every run.
        image_size, validation, test, batch_size, binarize, labels, seed, split_seed: see `SplittingDataModule`.

    Raises:
        ValueError: a value out of range, or an unknown data set.
        DataError: on `prepare_data` and `setup`, if files are damaged, missing or cannot be downloaded.
    """

    def __init__(
        self,
        root: str | Path,
        dataset: str,
        image_size: int | None = None,
        crop: bool = False,
        channels: int = 3,
        cache: str | Path | None = None,
        validation: float = 0.1,
        test: float = 0.1,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        if dataset not in DATASETS:
            raise ValueError(unknown(f"dataset: unknown, found {dataset!r}", nearest(dataset, DATASETS), DATASETS))
        name = dataset.lower()
        super().__init__(name, image_size, validation, test, batch_size, binarize, labels, seed, split_seed)
        self.form = PixelFormat.of(image_size, crop, channels)
        self.root = Path(os.path.expanduser(root))
        self.dataset = dataset
        self.cache = None if cache is None else Path(os.path.expanduser(cache))

    def prepare_data(self) -> None:
        """Download missing files; called in one process before `setup`.

        Raises:
            DataError: files are damaged, missing or cannot be downloaded.
        """
        if self.dataset in DOWNLOADS:
            download(self.dataset, self.root, self._missing, lambda: self._opened(download=True))

    def _load(self) -> Splits:
        given, sets = {}, self._opened_or_error()
        for split, images in sets.items():
            labels = torch.tensor([int(label) for label in _labels(images)])
            given[split] = Images(self._pixels(split, images, labels), labels)
        count = 1 + max(int(part.labels.max()) for part in given.values())
        names = getattr(sets["train"], "classes", None) or ()
        self.class_names = tuple(map(_name, names)) if len(names) >= count else tuple(map(str, range(count)))
        return self.divided(given, str(self.root))

    def _pixels(self, split: str, images: Any, labels: Int64[Tensor, " n"]) -> UInt8[Tensor, "n c h w"]:
        def opened(k: int) -> Image.Image:
            picture, _ = images[k]
            return picture

        def decode() -> Iterator[UInt8[np.ndarray, "c h w"]]:
            return decoded([f"image {k} of {self.dataset}" for k in range(len(images))], opened, self.form)

        source = f"{self.root.resolve()} {self.dataset} {split} {self.form}"
        version = f"{torchvision.__version__} {len(images)} {zlib.crc32(labels.numpy().tobytes()):08x}"
        return kept(self.cache, f"{self.dataset}-{split}", source, version, len(images), decode)

    def _opened(self, download: bool = False) -> dict[str, Any]:
        """Torchvision's own objects for each split."""
        kind, further = getattr(datasets, self.dataset), {"download": download} if self.dataset in DOWNLOADS else {}
        return {split: kind(str(self.root), **which, **further) for split, which in DATASETS[self.dataset].items()}

    def _opened_or_error(self) -> dict[str, Any]:
        try:
            return self._opened()
        except ERRORS as error:
            raise DataError(
                f"data.root: {self.dataset} cannot be read from {self.root} ({first_line(error)})"
            ) from error

    def _missing(self) -> list[Path]:
        try:
            self._opened()
        except ERRORS:
            return [self.root / self.dataset]
        return []


def _labels(images: Any) -> Any:
    """Of a set that does not list them, they are read with their pictures, which is slow."""
    for name in ("targets", "labels"):
        if (labels := getattr(images, name, None)) is not None and len(labels) == len(images):
            return labels
    return [images[k][1] for k in range(len(images))]


def _name(of_class: object) -> str:
    """The first of several names."""
    return str(of_class[0] if isinstance(of_class, tuple) else of_class)
