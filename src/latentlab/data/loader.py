"""Batches indexed from one tensor of bytes on the training device."""

from collections.abc import Callable, Iterator
from typing import Literal, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from latentlab.data.images import Images
from latentlab.functional.batch import Batch
from latentlab.functional.randomness import RandomSource, Share, seed_from

Binarize = Literal["dynamic", "threshold"] | None


def binarization(value: object) -> Binarize:
    """`value`, if it names a binarisation.

    Raises:
        ValueError: it does not.
    """
    if value is None or value == "dynamic" or value == "threshold":
        return value
    raise ValueError(f"binarize: expected null, dynamic or threshold, found {value!r}")


def to_floats(pixels: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Bytes as float32 in [0, 1], bit for bit those of torchvision's `ToTensor`."""
    # The divisor is on the same device: with a Python number CUDA multiplies by the rounded reciprocal.
    return pixels.float().div_(torch.full((), 255.0, device=pixels.device))


def binarized(x: Float[Tensor, "b c h w"], binarize: Binarize, random: RandomSource) -> Float[Tensor, "b c h w"]:
    """Grey levels (None), x >= 0.5 ("threshold"), or a draw from Bernoulli(x) ("dynamic").

    Dynamic binarisation: Salakhutdinov & Murray, On the quantitative analysis of deep belief networks, 2008.
    """
    if binarize is None:
        return x
    lit = x >= 0.5 if binarize == "threshold" else random.uniform(x) < x
    return lit.to(x.dtype)


@final
class ResidentLoader:
    """One pass over the images in batches, of which this device gets every `world_size`-th row.

    With `epoch` the pass is shuffled by (seed, epoch) alone, with new draws in each epoch; without it the
    images come in order, with the same draws in every pass. The epoch is read at the first batch of a
    pass, since Lightning makes the iterator of a resumed run before the trainer knows its epoch.

    Each image comes exactly once over all devices, whatever the sizes: the last batch may be short, and a
    device's rows of it fewer than another's, or none. Batch k is `order[k * batch_size : (k + 1) * batch_size]`.

    Args:
        images: all images, on the device that trains.
        batch_size: images per batch over all devices.
        seed: of the order and the draws.
        stage: what the batches are for; the draws of two stages are independent.
        epoch: returns the current epoch.
        binarize: see `binarized`.
        rank: index of this device.
        world_size: number of devices among which each batch is divided.
    """

    def __init__(
        self,
        images: Images,
        *,
        batch_size: int,
        seed: int,
        stage: str,
        epoch: Callable[[], int] | None = None,
        binarize: Binarize = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self._images = images
        self._batch_size = batch_size
        self._seed = seed
        self._stage = stage
        self._epoch = epoch
        self._binarize: Binarize = binarize
        self._rank = rank
        self._world_size = world_size
        self._position = {"epoch": 0, "batch": 0}
        self._resume: dict[str, int] | None = None

    def __len__(self) -> int:
        """Batches in a pass, the last short one included; the same on every device."""
        return -(-len(self._images.labels) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch = 0 if self._epoch is None else self._epoch()
        first = self._first_batch(epoch)
        order = self._order(epoch)
        for k in range(first, len(self)):
            self._position = {"epoch": epoch, "batch": k + 1}
            yield self._batch(order, epoch, k)

    @property
    def given(self) -> int:
        """Batches of its epoch that the newest pass has yielded, those before a resumption included."""
        return self._position["batch"]

    def state_dict(self) -> dict[str, int]:
        """The epoch, and the number of its batches that were yielded."""
        return dict(self._resume or self._position)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next pass continue after `state`, if it is a pass of the same epoch."""
        self._resume = dict(state)

    def _first_batch(self, epoch: int) -> int:
        # A state saved at an epoch's end is loaded too, but the pass that follows belongs to the next epoch.
        resume, self._resume = self._resume, None
        return resume["batch"] if resume is not None and resume["epoch"] == epoch else 0

    def _order(self, epoch: int) -> Int[Tensor, " n"]:
        count, device = len(self._images.labels), self._images.labels.device
        if self._epoch is None:
            return torch.arange(count, device=device)
        # Drawn on the CPU, so that the order is the same on every kind of device.
        generator = torch.Generator().manual_seed(seed_from(self._seed, "shuffle", epoch))
        return torch.randperm(count, generator=generator).to(device)

    def _batch(self, order: Int[Tensor, " n"], epoch: int, k: int) -> Batch:
        rows = order[k * self._batch_size : (k + 1) * self._batch_size]
        share = Share(len(rows), self._rank, self._world_size)
        position = (k,) if self._epoch is None else (epoch, k)
        random = RandomSource(seed_from(self._seed, self._stage, *position), order.device, share)
        own = self._images.take(rows[self._rank :: self._world_size])
        x = binarized(to_floats(own.pixels), self._binarize, random)
        return Batch(x, own.labels, len(rows), random)
