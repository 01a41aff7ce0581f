"""The MNIST family: torchvision's files, labels and class names, read by `checksums`."""

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from os.path import isfile
from pathlib import Path
from typing import final

from torchvision import datasets

from latentlab.data.base import ImageDataModule
from latentlab.data.checksums import MNIST_SHA256, read_images
from latentlab.data.download import download
from latentlab.data.images import Images, Splits, divide, shared
from latentlab.data.loader import Binarize
from latentlab.errors import DataError

# The largest part of a test set that may be in its training set bit for bit: the first Fashion-MNIST had 0.1 % and the
# first KMNIST 0.06 %, MNIST has none.
MAX_SHARED = 0.01

# Cohen et al. 2017, table II; "letters" has had two versions.
EMNIST_COUNTS = {
    "byclass": ((697_932,), (116_323,)),
    "bymerge": ((697_932,), (116_323,)),
    "balanced": ((112_800,), (18_800,)),
    "letters": ((124_800, 88_800), (20_800, 14_800)),
    "digits": ((240_000,), (40_000,)),
    "mnist": ((60_000,), (10_000,)),
}


@final
@dataclass(frozen=True)
class IdxSource:
    """The idx files of a data set.

    folder: its name in the root.
    train, test: pairs of file names, images before labels.
    fetch: downloads and unpacks them into the root.
    first_label: the label of the first class.
    transposed: whether rows and columns are exchanged in the files.
    digests: SHA-256 by file name, where it is known.
    counts: the numbers of training and of test images, of each version of the set; empty where they are not known.
    """

    folder: str
    train: tuple[str, str]
    test: tuple[str, str]
    fetch: Callable[[str], object]
    first_label: int = 0
    transposed: bool = False
    digests: Mapping[str, str] = field(default_factory=dict)
    counts: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


class IdxDataModule(ImageDataModule, ABC):
    """A data set in idx files, with its official test set.

    The validation images are 5,000 of the official training set, drawn by `split_seed`. A subclass sets
    `source`, and `name` and `class_names` of `ImageDataModule`.

    Args:
        root: the folder that contains `MNIST/raw/train-images-idx3-ubyte` etc.; missing files are downloaded to it.
        batch_size, binarize, labels, seed, split_seed: see `ImageDataModule`.

    Raises:
        ValueError: a value out of range.
        DataError: on `prepare_data` and `setup`, if files are damaged, missing, swapped or cannot be downloaded.
    """

    source: IdxSource
    image_shape = (1, 28, 28)
    validation_size = 5000

    def __init__(
        self,
        root: str | Path,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(batch_size, binarize, labels, seed, split_seed)
        self.root = Path(root).expanduser()

    def prepare_data(self) -> None:
        """Download missing files and check all; called in one process before `setup`.

        Raises:
            DataError: files are damaged, missing or cannot be downloaded, or test images are among the training images.
        """
        download(self.source.folder, self.root, self._missing, lambda: self.source.fetch(str(self.root)))
        train, test = self._read(self.source.train, 0), self._read(self.source.test, 1)
        if not self.source.digests and (count := shared(train, test)) > MAX_SHARED * len(test.labels):
            raise DataError(
                f"data.root: expected other test images than training images in {self._folder()}, found {count:,} of"
                f" {len(test.labels):,} among the training images; delete the folder and run again"
            )

    def _load(self) -> Splits:
        official = self._read(self.source.train, 0)
        rest = len(official.labels) - self.validation_size
        if rest < 1:
            raise DataError(
                f"data.root: expected more than {self.validation_size:,} training images in"
                f" {self._folder()}, found {len(official.labels):,}; delete the folder and run again"
            )
        train, validation = divide(official, (rest, self.validation_size), self.split_seed)
        return Splits(train, validation, self._read(self.source.test, 1))

    def _read(self, files: tuple[str, str], split: int) -> Images:
        pixels, labels = (self._folder() / file for file in files)
        classes = range(self.source.first_label, self.source.first_label + len(self.class_names))
        source = self.source
        return read_images(pixels, labels, classes, source.digests, source.transposed, source.counts[split])

    def _missing(self) -> list[Path]:
        paths = [self._folder() / file for file in self.source.train + self.source.test]
        return [path for path in paths if not isfile(path)]  # also False in a folder without permission to read

    def _folder(self) -> Path:
        return self.root / self.source.folder / "raw"


def _mnist_like(dataset: type[datasets.MNIST]) -> IdxSource:
    return IdxSource(
        folder=dataset.__name__,
        train=("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        test=("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        fetch=lambda root: dataset(root, download=True),
        counts=((60_000,), (10_000,)),
    )


@final
class MNISTDataModule(IdxDataModule):
    """Handwritten digits, 55,000 + 5,000 + 10,000 of 28x28 in 10 classes (LeCun et al. 1998)."""

    name = "mnist"
    class_names = tuple("0123456789")
    source = replace(_mnist_like(datasets.MNIST), digests=MNIST_SHA256)


@final
class FashionMNISTDataModule(IdxDataModule):
    """Pieces of clothing, 55,000 + 5,000 + 10,000 of 28x28 in 10 classes (Xiao et al. 2017)."""

    name = "fashion_mnist"
    class_names = tuple(datasets.FashionMNIST.classes)
    source = _mnist_like(datasets.FashionMNIST)


@final
class KMNISTDataModule(IdxDataModule):
    """Cursive Japanese, 55,000 + 5,000 + 10,000 of 28x28 in 10 classes (Clanuwat et al. 2018)."""

    name = "kmnist"
    class_names = tuple(datasets.KMNIST.classes)
    source = _mnist_like(datasets.KMNIST)


@final
class EMNISTDataModule(IdxDataModule):
    """Handwritten digits and letters of 28x28, turned upright (Cohen et al. 2017).

    Args:
        root: see `IdxDataModule`.
        split: byclass (62 classes), bymerge or balanced (47), letters (26), digits or mnist (10).
        batch_size, binarize, labels, seed, split_seed: see `ImageDataModule`.

    Raises:
        ValueError: a value out of range, or an unknown split.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "balanced",
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, batch_size, binarize, labels, seed, split_seed)
        if split not in datasets.EMNIST.splits:
            raise ValueError(f"split: expected one of {', '.join(datasets.EMNIST.splits)}, found {split!r}")
        self.name = f"emnist_{split}"
        names = datasets.EMNIST.classes_split_dict[split]
        self.class_names = tuple(name for name in names if name != "N/A")
        self.source = IdxSource(
            folder="EMNIST",
            train=(f"emnist-{split}-train-images-idx3-ubyte", f"emnist-{split}-train-labels-idx1-ubyte"),
            test=(f"emnist-{split}-test-images-idx3-ubyte", f"emnist-{split}-test-labels-idx1-ubyte"),
            fetch=partial(_fetch_emnist, split),
            first_label=1 if split == "letters" else 0,
            transposed=True,
            counts=EMNIST_COUNTS[split],
        )


def _fetch_emnist(split: str, root: str) -> None:
    # torchvision checks the files of one of the two alone, and those of the other may be missing
    datasets.EMNIST(root, split=split, train=True, download=True)
    datasets.EMNIST(root, split=split, train=False, download=True)
