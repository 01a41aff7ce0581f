"""Labelled images as uint8 tensors, and their division into splits."""

from typing import NamedTuple

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from latentlab.functional.batch import NO_LABEL
from latentlab.functional.randomness import seed_from

MIN_SIDE, MAX_SIDE = 8, 128  # pixels of an image that every network takes


class Images(NamedTuple):
    """Labelled images in memory.

    pixels: uint8, (N, C, H, W).
    labels: int64, (N,); -1 where there are none.
    """

    pixels: UInt8[Tensor, "n c h w"]
    labels: Int[Tensor, " n"]

    def to(self, device: torch.device) -> "Images":
        """The same images on `device`; not copied if they are on it already."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def take(self, index: Int[Tensor, " m"]) -> "Images":
        """A copy of the images at `index`."""
        # twenty times as fast as `pixels[index]` on the CPU
        return Images(self.pixels.index_select(0, index), self.labels.index_select(0, index))

    def unlabelled(self) -> "Images":
        """The same images with every label -1."""
        return Images(self.pixels, torch.full_like(self.labels, NO_LABEL))


class Splits(NamedTuple):
    """The images for training, for model selection, and for the final test alone."""

    train: Images
    validation: Images
    test: Images


def divide(images: Images, sizes: tuple[int, ...], split_seed: int) -> tuple[Images, ...]:
    """Splits of the given sizes, drawn by `split_seed` alone; the sizes add up to the number of images."""
    generator = torch.Generator().manual_seed(seed_from(split_seed, "split"))
    order = torch.randperm(len(images.labels), generator=generator)
    return tuple(images.take(rows) for rows in order.split(list(sizes)))


def divide_by_class(images: Images, sizes: tuple[int, ...], split_seed: int) -> tuple[Images, ...]:
    """As `divide`, with the same share of each class, to within an image, in every split."""
    generator = torch.Generator().manual_seed(seed_from(split_seed, "split"))
    order = torch.randperm(len(images.labels), generator=generator)
    labels = images.labels[order] - images.labels.min()
    place = (_places(labels) + 0.5) / torch.bincount(labels)[labels]  # of each image in its class, 0 to 1
    order = order[torch.argsort(place, stable=True)]
    return tuple(images.take(rows) for rows in order.split(list(sizes)))


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
