"""The batches of a plain DataLoader, as the steps of a model receive them from the user's own training script."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from latentlab.functional.batch import NO_LABEL, Batch
from latentlab.functional.distributed import number_of_devices
from latentlab.functional.randomness import RandomSource

FORMATS = 'images x, (x,), (x, y) or {"image": x, "label": y}'


def as_batch(given: Any) -> Batch:
    """A batch itself, or one of a plain DataLoader; its draws are then from torch's global generator.

    Raises:
        ValueError: it is in none of the formats, or x is no tensor of floats (B, C, H, W).
    """
    if isinstance(given, Batch):
        return given
    match given:
        case Tensor():
            x, y = given, None
        case {"image": x, **rest}:
            y = rest.get("label")
        case (x,):
            y = None
        case (x, y):
            pass
        case _:
            raise ValueError(f"batch: expected {FORMATS}, found {described(given)}")
    if not (isinstance(x, Tensor) and x.ndim == 4 and x.is_floating_point()):
        raise ValueError(f"batch: expected images x as floats (B, C, H, W) in [0, 1], found {described(x)}")
    if y is None:
        y = torch.full((len(x),), NO_LABEL, device=x.device)
    elif not (isinstance(y, Tensor) and y.shape == x.shape[:1] and not y.is_floating_point()):
        raise ValueError(f"batch: expected labels y as {len(x)} whole numbers (B,), found {described(y)}")
    return Batch(x, y.long(), len(x) * number_of_devices(), RandomSource(None))


def refuse_unfit(batch: Batch, image_shape: tuple[int, int, int], num_classes: int) -> None:
    """Raise ValueError where the images have another shape or range than a model's, or labels are no classes.

    num_classes: of a conditional model; 0 where the labels are not read.
    """
    shape: tuple[int, ...] = tuple(batch.x.shape[1:])
    if shape != image_shape:
        raise ValueError(f"batch: expected images of the shape {image_shape}, as the model takes, found {shape}")
    low, high = map(float, batch.x.aminmax())
    if not (low >= 0 and high <= 1):  # also where one is NaN
        raise ValueError(
            f"batch: expected images in [0, 1], found {low:g} to {high:g}; scale them, and leave normalisation out"
        )
    if num_classes and not bool(((batch.y >= 0) & (batch.y < num_classes)).all()):
        low, high = int(batch.y.min()), int(batch.y.max())
        found = "none" if low == high == NO_LABEL else f"{low} to {high}"
        raise ValueError(f"batch: expected labels in 0..{num_classes - 1}, as the model is conditional, found {found}")


def described(found: object) -> str:
    """What an error says of a wrong value: of a tensor its type and shape."""
    match found:
        case Tensor():
            return f"{str(found.dtype).removeprefix('torch.')} of the shape {tuple(found.shape)}"
        case Mapping():
            return f"a mapping with the keys {', '.join(map(str, found)) or 'none'}"
        case list() | tuple():
            return f"a {type(found).__name__} of {len(found)}"
    return type(found).__name__
