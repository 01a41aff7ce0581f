"""The digits bundled with scikit-learn, which need no download."""

from functools import lru_cache
from pathlib import Path
from typing import final

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate

from latentlab.data.base import ImageDataModule
from latentlab.data.images import Images, Splits, divide
from latentlab.data.loader import Binarize

SIZES = (1297, 200, 300)
NATIVE_SIZE, MAX_SIZE = 8, 64


@lru_cache(maxsize=4)
def _digits(image_size: int) -> Images:
    bundled = load_digits()
    grey = torch.from_numpy(bundled.images).float().unsqueeze(1) / 16
    if image_size != NATIVE_SIZE:
        grey = interpolate(grey, size=(image_size, image_size), mode="bilinear", align_corners=False)
    return Images((grey * 255).round().to(torch.uint8), torch.from_numpy(bundled.target).long())


@final
class DigitsDataModule(ImageDataModule):
    """1,797 digits of 8x8 pixels and 17 grey levels, enlarged bilinearly (Alpaydin & Kaynak 1998).

    There is no official split here: 1,297 training, 200 validation and 300 test images are drawn by `split_seed`.
    Metrics cannot be compared with published ones.

    Args:
        root: not used, as the images are bundled; every data set has this argument.
        image_size: height and width of the images, 8 to 64 pixels.
        batch_size, binarize, labels, seed, split_seed: see `ImageDataModule`.

    Raises:
        ValueError: a value out of range.
    """

    name = "digits"
    class_names = tuple("0123456789")

    def __init__(
        self,
        root: str | Path | None = None,
        image_size: int = 28,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(batch_size, binarize, labels, seed, split_seed)
        if not NATIVE_SIZE <= image_size <= MAX_SIZE:
            word = "least" if image_size < NATIVE_SIZE else "most"
            limit = NATIVE_SIZE if image_size < NATIVE_SIZE else MAX_SIZE
            raise ValueError(f"image_size: expected at {word} {limit}, found {image_size}")
        self.image_size = image_size
        self.image_shape = (1, image_size, image_size)

    def _load(self) -> Splits:
        train, validation, test = divide(_digits(self.image_size), SIZES, self.split_seed)
        return Splits(train, validation, test)
