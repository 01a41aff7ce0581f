"""Labelled images as rows of a uint8 tensor, and their division into splits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from latentlab.functional.batch import NO_LABEL
from latentlab.functional.randomness import seed_from

MIN_SIDE, MAX_SIDE = 8, 128  # pixels of an image that every network takes
AT_ONCE = 2**25  # bytes


@final
@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: rows of an array in memory, on a device, or in a file that is mapped into memory.

    stored: uint8, (S, C, H, W).
    labels: int64, (N,); -1 where there are none.
    rows: the index of each image in `stored`, (N,); None: all of `stored`, in order.
    """

    stored: UInt8[Tensor, "s c h w"]
    labels: Int[Tensor, " n"]
    rows: Int[Tensor, " n"] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.stored.shape[1:]
        return channels, height, width

    @property
    def nbytes(self) -> int:
        """Of these images and labels alone."""
        return len(self.labels) * math.prod(self.shape) + self.labels.nbytes

    @property
    def pixels(self) -> UInt8[Tensor, "n c h w"]:
        """All images, (N, C, H, W): a copy where they are rows of a larger array."""
        return self.stored if self.rows is None else self.stored.index_select(0, self.rows)

    def chunks(self) -> Iterator[UInt8[Tensor, "m c h w"]]:
        """The pixels in order, 32 MiB at a time."""
        for index in torch.arange(len(self.labels), device=self.labels.device).split(rows_at_once(self.shape)):
            yield self.take(index).pixels

    def to(self, device: torch.device) -> "Images":
        """The same images on `device`, without the array's other rows; not copied if they are on it already."""
        if self.stored.device == device:
            return self
        pixels = torch.empty((len(self.labels), *self.shape), dtype=torch.uint8, device=device)
        for there, own in zip(pixels.split(rows_at_once(self.shape)), self.chunks(), strict=True):
            there.copy_(own)
        return Images(pixels, self.labels.to(device))

    def take(self, index: Int[Tensor, " m"]) -> "Images":
        """A copy of the images at `index`."""
        rows = index if self.rows is None else self.rows.index_select(0, index)
        # twenty times as fast as `stored[rows]` on the CPU
        return Images(self.stored.index_select(0, rows), self.labels.index_select(0, index))

    def part(self, index: Int[Tensor, " m"]) -> "Images":
        """The images at `index`, which are not copied: the array may be larger than the memory."""
        return Images(self.stored, self.labels[index], index if self.rows is None else self.rows[index])

    def unlabelled(self) -> "Images":
        """The same images with every label -1."""
        return Images(self.stored, torch.full_like(self.labels, NO_LABEL), self.rows)


@final
class Splits(NamedTuple):
    """The images for training, for model selection, and for the final test alone."""

    train: Images
    validation: Images
    test: Images


def rows_at_once(shape: tuple[int, ...]) -> int:
    """The number of arrays of bytes of this shape that take about 32 MiB, at least one."""
    return max(AT_ONCE // math.prod(shape), 1)


def divide(images: Images, sizes: tuple[int, ...], split_seed: int) -> tuple[Images, ...]:
    """Splits of the given sizes, drawn by `split_seed` alone; the sizes add up to the number of images."""
    generator = torch.Generator().manual_seed(seed_from(split_seed, "split"))
    order = torch.randperm(len(images.labels), generator=generator)
    return tuple(images.part(rows) for rows in order.split(list(sizes)))


def divide_by_class(images: Images, sizes: tuple[int, ...], split_seed: int) -> tuple[Images, ...]:
    """As `divide`, with the same share of each class, to within an image, in every split."""
    generator = torch.Generator().manual_seed(seed_from(split_seed, "split"))
    order = torch.randperm(len(images.labels), generator=generator)
    labels = images.labels[order] - images.labels.min()
    place = (_places(labels) + 0.5) / torch.bincount(labels)[labels]  # of each image in its class, 0 to 1
    order = order[torch.argsort(place, stable=True)]
    return tuple(images.part(rows) for rows in order.split(list(sizes)))


def shared(images: Images, others: Images) -> int:
    """The number of `others` whose pixels are among those of `images`, bit for bit."""
    wanted = [hash(row.tobytes()) for row in others.pixels.numpy()]
    found = set(wanted).intersection(hash(row.tobytes()) for row in images.pixels.numpy())
    return sum(row in found for row in wanted)


def classes_in_turn(labels: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Indices in round-robin order of the classes: one image of each class in turn, until no image is left.

    Within a class the images keep their order.
    """
    labels = labels - labels.min()  # without labels all are -1
    return torch.argsort(_places(labels) * len(torch.bincount(labels)) + labels)


def _places(labels: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """How many images of the same class come before each; labels are 0 and more."""
    by_class = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    places = torch.empty_like(by_class)
    places[by_class] = torch.arange(len(labels)) - starts[labels[by_class]]
    return places
