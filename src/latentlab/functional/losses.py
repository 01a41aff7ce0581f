"""Losses per image, not averaged over the batch, and their weighted sum."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.functional.batch import Image, PerImage
from latentlab.functional.precision import at_least_float32

LEAST_PROBABILITY = 1e-6  # a pixel adds at most 13.8 nats
LEAST_MSE = 1e-10  # limits the PSNR, infinite for equal images, to 100 dB


def mse_per_image(x: Image, x_hat: Image) -> PerImage:
    """Squared error, the mean over pixels and channels of each image, (B,)."""
    return (x - at_least_float32(x_hat)).square().mean((1, 2, 3))


def bce_per_image(x: Image, x_hat: Image) -> PerImage:
    """Binary cross-entropy of the expected image `x_hat`, in nats, summed over pixels and channels, (B,).

    Both probabilities of a pixel are clamped to [1e-6, 1 - 1e-6] separately: 1 - (1 - 1e-6) is not 1e-6
    in float32. On grey-level images this is not a likelihood.
    """
    probability = at_least_float32(x_hat)
    white = probability.clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    black = (1 - probability).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return -(x * white.log() + (1 - x) * black.log()).sum((1, 2, 3))


def psnr(mse: Float[Tensor, "*b"]) -> Float[Tensor, "*b"]:
    """Peak signal-to-noise ratio in dB of squared errors per pixel, for a peak of 1; at most 100."""
    return -10 * mse.clamp_min(LEAST_MSE).log10()


def psnr_per_image(x: Image, x_hat: Image) -> PerImage:
    """Peak signal-to-noise ratio in dB for a peak of 1, (B,), at most 100; `x_hat` is clamped to [0, 1]."""
    return psnr(mse_per_image(x, x_hat.clamp(0, 1)))


def stacked(terms: Mapping[str, Tensor], images: int) -> Float[Tensor, "t b"]:
    """The terms of so many images, one row each, (T, B).

    Raises ValueError where a term is not one value per image.
    """
    for name, term in terms.items():
        if term.shape != (images,):
            raise ValueError(f"term {name}: expected one value per image, ({images},), found {tuple(term.shape)}")
    return torch.stack([*terms.values()])


def weighted_sum(
    names: Sequence[str], terms: Float[Tensor, "t ..."], weights: Mapping[str, float]
) -> Float[Tensor, "..."]:
    """The objective: the sum over the terms of weight times term, for values per image, (T, B), or their sums, (T,).

    names: of the rows of `terms`.

    Raises ValueError where terms and weights differ in their names.
    """
    if set(names) != weights.keys():
        raise ValueError(f"expected weights for the terms {sorted(names)}, found weights for {sorted(weights)}")
    factors = _on_device(tuple(weights[name] for name in names), terms.device, terms.dtype)
    return (terms.movedim(0, -1) * factors).sum(-1)


@lru_cache(maxsize=16)
def _on_device(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False):  # else a tensor of a validation could not be part of a training's graph
        # filled on the device: a copy from the host would wait for it
        return torch.stack([torch.full((), value, device=device, dtype=dtype) for value in values])
