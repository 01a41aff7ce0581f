"""What one training, validation or test step receives, and the shapes of its tensors, which the tests check."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.functional.randomness import RandomSource

# b: images of the batch on this device; c, h, w: channels, rows, columns; d: latent units; k: features of a condition
Image = Float[Tensor, "b c h w"]
Label = Int[Tensor, " b"]
AnyLabel = Label | int | None  # one per image, one for all images, or none
Code = Float[Tensor, "b d"]
Condition = Float[Tensor, "b k"] | None
PerImage = Float[Tensor, " b"]

NO_LABEL = -1  # of images without labels


@final
class Batch(NamedTuple):
    """The images of one step that this device holds.

    x: images in [0, 1], (B, C, H, W).
    y: labels, int64, (B,); -1 where the data has none.
    size: images in the whole batch over all devices; equals B on one device.
    random: draws for these images.
    """

    x: Image
    y: Label
    size: int
    random: RandomSource


def whole(batches: Iterable[Batch]) -> Batch:
    """The images of all batches as one, with the random source of the first."""
    every = list(batches)
    x, y = torch.cat([batch.x for batch in every]), torch.cat([batch.y for batch in every])
    return Batch(x, y, len(y), every[0].random)


Call = Batch | tuple[Batch, ...] | Iterator[Batch]  # of the training step, which may train on several batches


def batches_of(call: Call) -> Iterator[Batch]:
    """The batches of a call, in order."""
    return iter((call,)) if isinstance(call, Batch) else iter(call)


def one_hot(y: Label, classes: int) -> Float[Tensor, "b k"]:
    """Labels as float indicator vectors, (B, K)."""
    return (y.unsqueeze(1) == torch.arange(classes, device=y.device)).to(torch.get_default_dtype())
