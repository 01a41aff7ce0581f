"""A folder of the user's own pictures."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from latentlab.data.decoded_cache import kept
from latentlab.data.decoding import PixelFormat, decoded
from latentlab.data.images import Images, Splits
from latentlab.data.loader import Binarize
from latentlab.data.pictures import Listing, listed
from latentlab.data.splitting import SplittingDataModule


@final
class FolderDataModule(SplittingDataModule):
    """PNG, JPEG and all else that Pillow reads. Sub-folders are classes; in a flat folder there are no labels.

    `train/`, `validation/` or `val/`, and `test/` in the folder are kept as splits. Colours become grey levels where
    `channels` is 1, and what is transparent becomes black.

    Args:
        root: the folder.
        name: of the data set; in the config the folder's own.
        image_size: see `SplittingDataModule`.
        crop: whether to cut out the square in the middle before a picture is resized, instead of stretching it.
        channels: 1 for grey levels, 3 for colours.
        cache: a folder that keeps the decoded pictures until a file changes; null: they are decoded in every run.
        validation, test, batch_size, binarize, labels, seed, split_seed: see `SplittingDataModule`.

    Raises:
        ValueError: a value out of range.
        DataError: on `prepare_data` and `setup`, if the folder holds no pictures, or one that cannot be read.
    """

    def __init__(
        self,
        root: str | Path,
        name: str,
        image_size: int | None = None,
        crop: bool = False,
        channels: int = 1,
        cache: str | Path | None = None,
        validation: float = 0.1,
        test: float = 0.1,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(name, image_size, validation, test, batch_size, binarize, labels, seed, split_seed)
        if not str(root):
            raise ValueError("root: expected a folder of pictures, found an empty text")
        if cache is not None and not str(cache):
            raise ValueError("cache: expected a folder, or null for none, found an empty text")
        self.root = Path(os.path.expanduser(root))
        self.form = PixelFormat.of(image_size, crop, channels)
        self.cache = None if cache is None else Path(os.path.expanduser(cache))

    def prepare_data(self) -> None:
        """Decode all pictures, unless they are in the cache; called in one process before `setup`.

        Raises:
            DataError: see the class.
        """
        if self.cache is not None:
            self._pixels(listed(self.root))

    def _load(self) -> Splits:
        listing = listed(self.root)
        self.class_names = listing.class_names
        pixels = self._pixels(listing)
        labels = torch.tensor([picture.label for pictures in listing.splits.values() for picture in pictures])
        sizes = [len(pictures) for pictures in listing.splits.values()]
        parts = zip(pixels.split(sizes), labels.split(sizes), strict=True)
        given = {name: Images(*part) for name, part in zip(listing.splits, parts, strict=True)}
        return self.divided(given, str(self.root))

    def _pixels(self, listing: Listing) -> UInt8[Tensor, "n c h w"]:
        """Of all splits, one after the other."""
        files = [picture.file for pictures in listing.splits.values() for picture in pictures]

        def decode() -> Iterator[UInt8[np.ndarray, "c h w"]]:
            return decoded(files, lambda k: Image.open(files[k]), self.form)

        place = self.root.resolve()
        return kept(self.cache, place.name, f"{place} {self.form}", listing.fingerprint(), len(files), decode)
