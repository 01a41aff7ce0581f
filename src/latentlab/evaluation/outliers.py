"""Nonsense images, like those decoded from codes outside the data, of which the classifier must not be confident."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from latentlab.functional.batch import Image

FAINT = 0.15  # contrast up to which an image is nonsense
LARGEST_DOT = 8  # a dot's side is at most 1/8 of the image's: 3 of 28 pixels


def softened(x: Image) -> Image:
    """Each image blurred and dimmed by a random amount, to half its contrast at most."""
    blur, light = torch.rand(2, len(x), 1, 1, 1, device=x.device)
    return (0.5 + 0.5 * light) * torch.lerp(x, F.avg_pool2d(x, 3, stride=1, padding=1), blur)


def outliers(x: Image, y: Int[Tensor, " b"]) -> Float[Tensor, "m c h w"]:
    """Of a batch of images and their labels: blends of two classes, quarters of four images and noise, softened; and
    images without content: faint ones down to an even level, black ones, and dots.
    """
    count = len(x) // 8
    mixed = torch.cat((_blends(x, y, count), _quarters(x, count), torch.rand_like(x[: count // 4])))
    return torch.cat((softened(mixed), _faint(x[:count]), _dots(x[: count // 2])))


def _blends(x: Image, y: Int[Tensor, " b"], count: int) -> Float[Tensor, "m c h w"]:
    a, b = x[:count], x[count : 2 * count]
    weight = torch.empty(count, 1, 1, 1, device=x.device).uniform_(0.35, 0.65)
    differ = y[:count] != y[count : 2 * count]
    return ((weight * a + (1 - weight) * b) / torch.maximum(weight, 1 - weight)).clamp(0, 1)[differ]


def _quarters(x: Image, count: int) -> Float[Tensor, "m c h w"]:
    whole, one, two, three = (x[k * count : (k + 1) * count] for k in range(2, 6))
    height, width = x.shape[2] // 2, x.shape[3] // 2
    quarters = whole.clone()
    quarters[..., :height, width:] = one[..., :height, width:]
    quarters[..., height:, :width] = two[..., height:, :width]
    quarters[..., height:, width:] = three[..., height:, width:]
    return quarters


def _level(x: Image) -> Float[Tensor, "b 1 1 1"]:
    """An even grey level for each image, black for three of four: a decoder without a code paints one."""
    level, is_other = torch.rand(2, len(x), 1, 1, 1, device=x.device)
    return level * (is_other > 0.75)


def _faint(x: Image) -> Image:
    """An even level on which hardly anything is left of the image, of noise, or nothing at all."""
    contrast, kind = torch.rand(2, len(x), 1, 1, 1, device=x.device)
    shown = torch.where(kind < 0.6, x, torch.rand_like(x))
    level = _level(x)
    return level + (shown - level) * FAINT * contrast * (kind < 0.8)


def _dots(x: Image) -> Image:
    """One or two even squares of up to an eighth of the image's side, on an even level."""
    level = _level(x)
    one, other, are_two = _square(x), _square(x), torch.rand_like(level) < 0.5
    return torch.where(one | (other & are_two), torch.rand_like(level).sqrt(), level).expand_as(x)


def _square(x: Image) -> Bool[Tensor, "b 1 h w"]:
    """Where a square of a random size and place is, for each image."""
    height, width = x.shape[-2:]
    side = torch.randint(1, max(min(height, width) // LARGEST_DOT, 1) + 1, (len(x), 1, 1, 1), device=x.device)
    inside = []
    for length, shape in ((height, (1, 1, -1, 1)), (width, (1, 1, 1, -1))):
        start = (torch.rand(len(x), 1, 1, 1, device=x.device) * (length - side + 1)).floor()
        place = torch.arange(length, device=x.device).view(shape)
        inside.append((place >= start) & (place < start + side))
    return inside[0] & inside[1]
