"""Batches that are indexed from one uint8 tensor, in place of worker processes."""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Literal, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from latentlab.data.copied_ahead import copied_ahead
from latentlab.data.images import Images
from latentlab.functional.batch import Batch, Image
from latentlab.functional.randomness import RandomSource, Share, seed_from

Binarize = Literal["dynamic", "threshold"] | None


def binarization(value: object) -> Binarize:
    """The value itself, checked.

    Raises:
        ValueError: it does not name a binarisation.
    """
    if value is None or value == "dynamic" or value == "threshold":
        return value
    raise ValueError(f"binarize: expected null, dynamic or threshold, found {value!r}")


def to_floats(pixels: UInt8[Tensor, "b c h w"]) -> Image:
    """Pixels as float32 in [0, 1], bit for bit those of torchvision's `ToTensor`."""
    return pixels.float().div_(_white(pixels.device))


@lru_cache(maxsize=16)
def _white(device: torch.device) -> Float[Tensor, ""]:
    """The divisor, on the device: by a Python number CUDA multiplies with the rounded reciprocal."""
    return torch.full((), 255.0, device=device)


def binarized(x: Image, binarize: Binarize, random: RandomSource) -> Image:
    """Grey levels (None), x >= 0.5 ("threshold"), or a draw from Bernoulli(x) ("dynamic").

    Dynamic binarisation: Salakhutdinov & Murray, On the quantitative analysis of deep belief networks, 2008.
    """
    if binarize is None:
        return x
    white = x >= 0.5 if binarize == "threshold" else random.uniform(x) < x
    return white.to(x.dtype)


@final
@dataclass(eq=False)
class ResidentLoader:
    """One pass over the images in batches, of which this device gets every `world_size`-th row.

    With `epoch` the order depends on (seed, epoch) alone, and the draws differ between epochs; without it the
    images are in their own order, with the same draws in every pass. The epoch is read at the first batch of a
    pass, because Lightning creates the iterator of a resumed run before it restores the epoch.

    Each image occurs exactly once over all devices, for all sizes: the last batch may be smaller, and a device may
    have fewer rows of it than another, or none. Batch k is `order[k * batch_size : (k + 1) * batch_size]`.

    Args:
        images: all images, on the device that trains or in host memory.
        batch_size: images per batch over all devices.
        seed: of the order and the draws.
        stage: such as "train" or "test"; the draws of two stages are independent.
        epoch: returns the current epoch.
        binarize: see `binarized`.
        rank: index of this device.
        world_size: number of devices among which each batch is divided.
        device: of the batches; None: that of the images. Batches of images in host memory are copied ahead.
    """

    images: Images
    _: KW_ONLY
    batch_size: int
    seed: int
    stage: str
    epoch: Callable[[], int] | None = None
    binarize: Binarize = None
    rank: int = 0
    world_size: int = 1
    device: torch.device | None = None

    def __post_init__(self) -> None:
        self._position = {"epoch": 0, "batch": 0}
        self._resume: dict[str, int] | None = None

    def __len__(self) -> int:
        """Batches in a pass, including a last smaller one; the same on every device."""
        return -(-len(self.images.labels) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch = 0 if self.epoch is None else self.epoch()
        first = self._first_batch(epoch)
        rows = self._order(epoch).split(self.batch_size)[first:]
        own = (each[self.rank :: self.world_size] for each in rows)
        taken: Iterator[Images]
        if self.device is None:
            taken = (self.images.take(each) for each in own)
        else:
            taken = copied_ahead(self.images, own, self.device)
        for k, (each, images) in enumerate(zip(rows, taken, strict=True), first):
            self._position = {"epoch": epoch, "batch": k + 1}
            yield self._batch(images, len(each), epoch, k)

    @property
    def yielded(self) -> int:
        """Batches of its epoch that the latest pass has yielded, including those before a resumption."""
        return self._position["batch"]

    def state_dict(self) -> dict[str, int]:
        """The epoch, and the number of its batches that were yielded."""
        return dict(self._resume or self._position)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue the next pass after `state`, if it is a pass of the same epoch."""
        self._resume = dict(state)

    def _first_batch(self, epoch: int) -> int:
        # a state saved at the end of an epoch is also loaded, but the next pass belongs to the next epoch
        resume, self._resume = self._resume, None
        return resume["batch"] if resume is not None and resume["epoch"] == epoch else 0

    def _order(self, epoch: int) -> Int[Tensor, " n"]:
        count, device = len(self.images.labels), self.images.labels.device
        if self.epoch is None:
            return torch.arange(count, device=device)
        # drawn on the CPU, so that the order is the same on every type of device
        generator = torch.Generator().manual_seed(seed_from(self.seed, "shuffle", epoch))
        return torch.randperm(count, generator=generator).to(device)

    def _batch(self, own: Images, size: int, epoch: int, k: int) -> Batch:
        position = (k,) if self.epoch is None else (epoch, k)
        share = Share(size, self.rank, self.world_size)
        random = RandomSource(seed_from(self.seed, self.stage, *position), own.labels.device, share)
        x = binarized(to_floats(own.pixels), self.binarize, random)
        return Batch(x, own.labels, size, random)
