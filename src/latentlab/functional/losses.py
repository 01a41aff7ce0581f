"""What an image costs, one number an image: nothing here is averaged over the batch."""

import math
from functools import lru_cache, reduce

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.errors import ConfigError
from latentlab.functional.distributed import batch_mean
from latentlab.functional.precision import at_least_float32

LEAST_PROBABILITY = 1e-6  # a decoder free to say 0 or 1 pays at most 13.8 nats a pixel
LEAST_MSE = 1e-10  # a perfect image has 100 dB, not infinitely many


def mse_per_image(x: Float[Tensor, "b c h w"], x_hat: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Squared error, the mean over pixels and channels of each image, (B,)."""
    return (x - at_least_float32(x_hat)).square().mean((1, 2, 3))


def bce_per_image(x: Float[Tensor, "b c h w"], x_hat: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Binary cross-entropy of the expected image `x_hat`, in nats, summed over pixels and channels, (B,).

    Both probabilities of a pixel are held within [1e-6, 1 - 1e-6], each by itself: 1 - (1 - 1e-6) is not 1e-6
    in float32. On grey-level images it is no likelihood.
    """
    probability = at_least_float32(x_hat)
    white = probability.clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    black = (1 - probability).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return -(x * white.log() + (1 - x) * black.log()).sum((1, 2, 3))


def psnr_per_image(x: Float[Tensor, "b c h w"], x_hat: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Peak signal-to-noise ratio in dB for a peak of 1, (B,), at most 100; `x_hat` is clamped to [0, 1]."""
    return -10 * mse_per_image(x, x_hat.clamp(0, 1)).clamp_min(LEAST_MSE).log10()


def weighted_total(terms: dict[str, Float[Tensor, " b"]], weights: dict[str, float]) -> Float[Tensor, " b"]:
    """The weighted sum of the terms, (B,): a model's objective for each image.

    Raises ValueError where terms and weights are not named alike: a term without a weight is a forgotten one.
    """
    _refuse_unlike_names(terms, weights)
    return reduce(torch.add, [weights[name] * term for name, term in terms.items()])


def weighted_sum(
    terms: dict[str, Float[Tensor, " b"]], weights: dict[str, float]
) -> tuple[Float[Tensor, ""], Float[Tensor, " t"]]:
    """The sum of `weighted_total` over the images, and that of each term, in few operations: once a training step.

    Raises ValueError where terms and weights are not named alike.
    """
    _refuse_unlike_names(terms, weights)
    sums = torch.stack([*terms.values()]).sum(1)
    return (sums * _on_device(tuple(weights[name] for name in terms), sums.device, sums.dtype)).sum(), sums


@lru_cache(maxsize=16)
def _on_device(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.tensor(values, device=device, dtype=dtype)


def _refuse_unlike_names(terms: dict[str, Tensor], weights: dict[str, float]) -> None:
    if terms.keys() != weights.keys():
        raise ValueError(f"terms {sorted(terms)} and weights {sorted(weights)} have to be named alike")


def free_bits(kl: Float[Tensor, "b d"], size: int, free_bits: float) -> Float[Tensor, " b"]:
    """What to add to each image's KL so that no unit gains by falling below `free_bits` nats, in nats, (B,).

    Kingma et al. 2016, equation 15: sum_j max(free_bits, KL_j) = sum_j KL_j + sum_j relu(free_bits - KL_j),
    where KL_j is the mean of unit j over the whole batch of `size` images, of which this device holds B.
    """
    if free_bits == 0:
        return kl.new_zeros(len(kl))  # no KL is negative: the other devices need not be asked
    return (free_bits - batch_mean(kl, size)).relu().sum().expand(len(kl))


def check_kl_options(beta: float, free_bits: float) -> None:
    """Raise ConfigError where the weight of the KL or its free bits are negative, infinite or NaN."""
    for name, value in (("beta", beta), ("free_bits", free_bits)):
        if not 0 <= value < math.inf:
            raise ConfigError(f"model.{name}: expected a number of at least 0, found {value}")
