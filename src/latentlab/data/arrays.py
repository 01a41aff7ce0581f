"""A file of the user's own arrays."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.dlpack import from_dlpack

from latentlab.data.array_files import read_arrays
from latentlab.data.images import MAX_SIDE, MIN_SIDE, Images, Splits, rows_at_once
from latentlab.data.loader import Binarize
from latentlab.data.memory_limit import is_large, refuse_too_large
from latentlab.data.splitting import SplittingDataModule
from latentlab.errors import DataError
from latentlab.functional.batch import NO_LABEL

Arrays = Mapping[str, np.ndarray]

# splits by the ends of their keys
KEYS = {"": "train", "_train": "train", "_validation": "validation", "_val": "validation", "_test": "test"}
CHANNELS = (1, 3)


@final
class ArraysDataModule(SplittingDataModule):
    """Arrays `x`, `y`, `x_validation`, `y_validation`, `x_test` and `y_test` in a file; all but `x` may be missing.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with one or three channels, and bytes, booleans, or floats in
    [0, 1], which are rounded to bytes. Labels are whole numbers or names, (N,).

    Args:
        file: `.npz`, `.npy` (x alone) or `.safetensors`; nothing in it is executed.
        name: of the data set; in the config that of the file.
        image_size, validation, test, batch_size, binarize, labels, seed, split_seed: see `SplittingDataModule`.

    Raises:
        ValueError: a value out of range.
        DataError: on `setup`, if the file is missing or damaged, or the arrays are no images with their labels.
    """

    def __init__(
        self,
        file: str | Path,
        name: str,
        image_size: int | None = None,
        validation: float = 0.1,
        test: float = 0.1,
        batch_size: int = 128,
        binarize: Binarize = None,
        labels: bool = True,
        seed: int = 0,
        split_seed: int = 0,
    ) -> None:
        super().__init__(name, image_size, validation, test, batch_size, binarize, labels, seed, split_seed)
        self.file = Path(os.path.expanduser(file))

    def _load(self) -> Splits:
        arrays = read_arrays(self.file, [f"{letter}{end}" for end in KEYS for letter in "xy"])
        keys: dict[str, str] = {}
        for end, split in KEYS.items():
            if f"x{end}" in arrays and split in keys:
                raise self._unfit(f"x{end}", f"one array of {split} images", f"also x{keys[split]}")
            if f"y{end}" in arrays and f"x{end}" not in arrays:
                raise self._unfit(f"y{end}", f"its images in x{end}", "none")
            if f"x{end}" in arrays:
                keys[split] = end
        if "train" not in keys:
            raise self._unfit("x", "images", f"the keys {', '.join(sorted(arrays)) or 'none'}")
        known, by_split = self._labels(arrays, keys)
        self.class_names = known
        given = {}
        for split, end in keys.items():
            pixels = self._pixels(f"x{end}", arrays[f"x{end}"])
            given[split] = Images(pixels, by_split.get(split, torch.full((len(pixels),), NO_LABEL)))
            if len(given[split].labels) != len(pixels):
                found = f"{len(given[split].labels):,}"
                raise self._unfit(f"y{end}", f"{len(pixels):,} labels, one per image", found)
        return self.divided(given, str(self.file))

    def _labels(self, arrays: Arrays, keys: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, Tensor]]:
        """The names of the classes, and the labels of each split; nothing where the training images have none."""
        given = {split: (f"y{end}", arrays[f"y{end}"]) for split, end in keys.items() if f"y{end}" in arrays}
        if not given or not self.labels:
            return (), {}
        if missing := [split for split in keys if split not in given]:
            raise self._unfit(f"y{keys[missing[0]]}", f"labels of {missing[0]} too", "none")
        for key, y in given.values():
            if y.ndim != 1 or y.dtype.kind not in "iuU" or len(y) == 0:
                raise self._unfit(key, "whole numbers or names, one per image", f"{y.dtype} of the shape {y.shape}")
        classes = np.unique(given["train"][1])
        if len(classes) == 1:
            raise self._unfit(given["train"][0], "two classes or more", f"{classes[0]} alone; leave it out")
        labels = {}
        for split, (key, y) in given.items():
            if len(unknown := np.setdiff1d(y, classes)):
                raise self._unfit(key, "the classes of the training images", f"also {unknown[0]}")
            labels[split] = torch.from_numpy(np.searchsorted(classes, y))
        return tuple(str(name) for name in classes), labels

    def _pixels(self, key: str, x: np.ndarray) -> UInt8[Tensor, "n c h w"]:
        x = self._channels_first(key, x)
        self._refuse_values(key, x)
        size = x.shape[2:] if self.image_size is None else (self.image_size, self.image_size)
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
            found = f"{size[0]}x{size[1]}; set data.image_size=PIXELS"
            raise self._unfit(key, f"images of {MIN_SIDE} to {MAX_SIDE} pixels", found)
        if x.dtype == np.uint8 and self.image_size is None:
            return from_dlpack(x if is_large(x.nbytes) else np.ascontiguousarray(x))
        shape = (*x.shape[:2], *size)
        way_out = "save bytes (uint8) of the final size, which stay in the file"
        refuse_too_large(math.prod(shape), f"data.file: as bytes {key} in {self.file} takes", way_out)
        pixels, done = torch.empty(shape, dtype=torch.uint8), 0
        for some in _chunks(x):
            images = torch.from_numpy(_bytes(some))
            if self.image_size is not None:
                images = interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
            pixels[done : done + len(images)] = images
            done += len(images)
        return pixels

    def _channels_first(self, key: str, x: np.ndarray) -> np.ndarray:
        if x.ndim == 3:
            return x[:, None]
        first, last = (x.ndim == 4 and x.shape[axis] in CHANNELS for axis in (1, 3))
        if first == last:
            shapes = "(N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels"
            raise self._unfit(key, shapes, f"the shape {x.shape}{', which is both of these' if first else ''}")
        return x if first else x.transpose(0, 3, 1, 2)

    def _refuse_values(self, key: str, x: np.ndarray) -> None:
        if x.size == 0:
            raise self._unfit(key, "images", "none")
        if x.dtype.kind == "f":
            low, high = (float(f([f(some) for some in _chunks(x)])) for f in (np.min, np.max))
            if not (low >= 0 and high <= 1):  # also where one is NaN
                way_out = "; divide them by 255" if 1 < high <= 255 and low >= 0 else ""
                raise self._unfit(key, "floats in [0, 1]", f"{low:g} to {high:g}{way_out}")
        elif x.dtype not in (np.uint8, np.bool_):
            raise self._unfit(key, "bytes (uint8), booleans or floats in [0, 1]", f"{x.dtype}; convert them")
        elif x.dtype == np.uint8 and max(some.max() for some in _chunks(x)) == 1:
            raise self._unfit(key, "bytes of 0 to 255", "0 and 1 alone; make them booleans, or multiply them by 255")

    def _unfit(self, key: str, expected: str, found: str) -> DataError:
        return DataError(f"data.file: {key} in {self.file}: expected {expected}, found {found}")


def _chunks(x: np.ndarray) -> Iterator[np.ndarray]:
    """Some rows after the others, so that what is computed of them is never as large as all of them."""
    step = rows_at_once((*x.shape[1:], x.itemsize))
    return (x[begin : begin + step] for begin in range(0, len(x), step))


def _bytes(x: np.ndarray) -> UInt8[np.ndarray, "n c h w"]:
    if x.dtype == np.bool_:
        return x.astype(np.uint8) * np.uint8(255)
    return np.array(x) if x.dtype == np.uint8 else (x * 255).round().astype(np.uint8)
