"""Labelled images as bytes, and their division into splits."""

from typing import NamedTuple

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from latentlab.functional.randomness import seed_from


class Images(NamedTuple):
    """Labelled images as they are held in memory.

    pixels: uint8, (N, C, H, W).
    labels: int64, (N,); -1 where there are none.
    """

    pixels: UInt8[Tensor, "n c h w"]
    labels: Int[Tensor, " n"]

    def to(self, device: torch.device) -> "Images":
        """The same images on `device`; nothing is copied if they are there already."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def take(self, index: Int[Tensor, " m"]) -> "Images":
        """The images at `index`, as a copy."""
        # on the CPU twenty times as fast as `pixels[index]`
        return Images(self.pixels.index_select(0, index), self.labels.index_select(0, index))

    def unlabelled(self) -> "Images":
        """The same images with every label -1."""
        return Images(self.pixels, torch.full_like(self.labels, -1))


class Splits(NamedTuple):
    """The images for training, for the choice of epochs and trials, and for the final test alone."""

    train: Images
    validation: Images
    test: Images


def divide(images: Images, sizes: tuple[int, ...], split_seed: int) -> tuple[Images, ...]:
    """Splits of the given sizes, drawn by `split_seed` alone; the sizes add up to the number of images."""
    generator = torch.Generator().manual_seed(seed_from(split_seed, "split"))
    order = torch.randperm(len(images.labels), generator=generator)
    return tuple(images.take(rows) for rows in order.split(list(sizes)))


def classes_in_turn(labels: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Indices that take one image of each class in turn, until each class is used up.

    Within a class the images keep their order.
    """
    by_class = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    turn = torch.empty_like(by_class)
    turn[by_class] = torch.arange(len(labels)) - starts[labels[by_class]]
    return torch.argsort(turn * len(counts) + labels)
