"""What one training, validation or test step receives."""

from collections.abc import Iterator
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from latentlab.functional.randomness import RandomSource


class Batch(NamedTuple):
    """The images of one step that this device holds.

    x: images in [0, 1], (B, C, H, W).
    y: labels, int64, (B,); -1 where the data has none.
    size: images in the whole batch over all devices; equals B on one device.
    random: draws for these images.
    """

    x: Float[Tensor, "b c h w"]
    y: Int[Tensor, " b"]
    size: int
    random: RandomSource


Call = Batch | tuple[Batch, ...] | Iterator[Batch]  # of the training step, which may train on several batches


def batches_of(call: Call) -> Iterator[Batch]:
    """The batches of a call, in order."""
    return iter((call,)) if isinstance(call, Batch) else iter(call)
