"""The diagonal Gaussian of the latent code, and the likelihoods of an image. Everything is in nats.

Half precision is converted to float32, double precision is kept. There is no control flow on values, so that
`torch.func.vmap` works.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from latentlab.functional.batch import Image, PerImage
from latentlab.functional.precision import at_least_float32

SMALLEST_SCALE = 1e-3  # lower bound of a learned scale: grey levels are 4e-3 apart
NEAR_ZERO = 0.3  # below, series of the continuous Bernoulli: gradients of the closed forms lose precision

LOG_TWO_PI = math.log(2 * math.pi)


@final
class DiagonalGaussian(NamedTuple):
    """A Gaussian with independent units, such as the posterior q(z|x) or the prior p(z).

    mean: (..., D).
    log_var: natural logarithm of the variance, (..., D).
    """

    mean: Float[Tensor, "*b d"]
    log_var: Float[Tensor, "*b d"]

    def sample(self, noise: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """The sample `mean + sigma * noise`, (..., D), for standard normal `noise` of that shape.

        Reparameterised, Kingma & Welling 2013, section 2.4: gradients flow to mean and variance. Leading axes
        of `noise` beyond those of the Gaussian are further samples.
        """
        mean, log_var = map(at_least_float32, self)
        return mean + (0.5 * log_var).exp() * noise

    def draw(self, generator: torch.Generator | None = None) -> Float[Tensor, "*b d"]:
        """One code for each row, (..., D), from noise of the generator's device; None: of torch's global generator."""
        device = self.mean.device if generator is None else generator.device
        return self.sample(torch.randn(self.mean.shape, generator=generator, device=device).to(self.mean))

    def kl(self, prior: "DiagonalGaussian") -> Float[Tensor, "*b d"]:
        """KL(self || prior) in nats for each unit, (..., D); a prior of another shape, as (D,), broadcasts.

        `expm1` is precise for a posterior that is close to its prior, where exp(r) - 1 - r would cancel.
        """
        mean, log_var = map(at_least_float32, self)
        prior_mean, prior_log_var = map(at_least_float32, prior)
        log_ratio = log_var - prior_log_var
        distance = (mean - prior_mean).square() * (-prior_log_var).exp()
        return 0.5 * (torch.expm1(log_ratio) - log_ratio + distance)

    def kl_to_standard(self) -> Float[Tensor, "*b d"]:
        """KL(self || N(0, 1)) in nats for each unit, (..., D): Kingma & Welling 2013, appendix B."""
        mean, log_var = map(at_least_float32, self)
        return 0.5 * (torch.expm1(log_var) - log_var + mean.square())

    def log_prob(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """The log-density of the codes `z`, (..., D), in nats, summed over the units: (...)."""
        mean, log_var = map(at_least_float32, self)
        distance = (z - mean).square() * (-log_var).exp()
        return -0.5 * (LOG_TWO_PI + log_var + distance).sum(-1)


class Likelihood(nn.Module, ABC):
    """p(x|z), with the decoder's output as its parameters. Pixels are independent given z.

    discrete: whether it is a probability of binary pixels; otherwise a density, and log_prob may be positive.
    """

    discrete: ClassVar[bool] = False

    @abstractmethod
    def log_prob(self, x: Image, params: Image) -> PerImage:
        """log p(x|z) in nats, summed over the pixels of each image, (B,).

        x: images in [0, 1], (B, C, H, W); params: the decoder's output, of the same shape.
        """

    def mean(self, params: Image) -> Image:
        """The expected image E[x|z], (B, C, H, W): by default the params themselves, which may be outside [0, 1]."""
        return at_least_float32(params)


@final
class Bernoulli(Likelihood):
    """Binary pixels; `params` are logits. On grey levels log_prob is a negative cross-entropy only."""

    discrete = True

    def log_prob(self, x: Image, params: Image) -> PerImage:
        """x * log p + (1 - x) * log(1 - p), summed: (B,) nats."""
        logits = at_least_float32(params)
        cost = F.binary_cross_entropy_with_logits(logits, x.to(logits.dtype), reduction="none")
        return -cost.sum((1, 2, 3))

    def mean(self, params: Image) -> Image:
        """The probability of a white pixel."""
        return at_least_float32(params).sigmoid()


@final
class Gaussian(Likelihood):
    """Normal pixels around `params`, with one standard deviation for all of them.

    sigma: the standard deviation, in grey levels of [0, 1]; where learned, its initial value.
    learned: whether sigma is a parameter, as in the sigma-VAE of Rybkin et al. 2021.
    """

    def __init__(self, sigma: float = 1.0, learned: bool = False) -> None:
        super().__init__()
        self.sigma = Scale(sigma, learned, name="sigma")

    def log_prob(self, x: Image, params: Image) -> PerImage:
        """-((x - mean) / sigma)^2 / 2 - log(sigma) - log(2 pi) / 2, summed: (B,) nats."""
        log_sigma = self.sigma.log()
        distance = (x - at_least_float32(params)) * (-log_sigma).exp()
        pixels = math.prod(x.shape[1:])
        return -0.5 * distance.square().sum((1, 2, 3)) - pixels * (log_sigma + 0.5 * LOG_TWO_PI)


@final
class Laplace(Likelihood):
    """Laplacian pixels around `params`, with one scale for all of them: the absolute error as a likelihood.

    scale: mean absolute deviation, in grey levels of [0, 1]; where learned, its initial value.
    learned: whether the scale is a parameter.
    """

    def __init__(self, scale: float = 1.0, learned: bool = False) -> None:
        super().__init__()
        self.scale = Scale(scale, learned, name="scale")

    def log_prob(self, x: Image, params: Image) -> PerImage:
        """-|x - mean| / scale - log(2 scale), summed: (B,) nats."""
        log_scale = self.scale.log()
        distance = (x - at_least_float32(params)).abs() * (-log_scale).exp()
        pixels = math.prod(x.shape[1:])
        return -distance.sum((1, 2, 3)) - pixels * (log_scale + math.log(2))


@final
class ContinuousBernoulli(Likelihood):
    """The density on [0, 1] proportional to exp(logit * x): Loaiza-Ganem & Cunningham 2019, section 3."""

    def log_prob(self, x: Image, params: Image) -> PerImage:
        """logit * x - log of the integral of exp(logit * t) over [0, 1], summed: (B,) nats.

        With a = |logit|, the log-normaliser is relu(logit) + log((1 - exp(-a)) / a); near zero, its series.
        """
        is_small, small, large = _split_near_zero(at_least_float32(params))
        series = small * (x - 0.5) - small**2 / 24 + small**4 / 2880 - small**6 / 181440
        slope = large * torch.where(large > 0, x - 1, x)  # logit * x - relu(logit), without cancellation
        closed = slope - torch.log(-torch.expm1(-large.abs()) / large.abs())
        return torch.where(is_small, series, closed).sum((1, 2, 3))

    def mean(self, params: Image) -> Image:
        """1 / (1 - exp(-logit)) - 1 / logit, within (0, 1); computed as 1/2 + coth(logit / 2) / 2 - 1 / logit."""
        is_small, small, large = _split_near_zero(at_least_float32(params))
        series = 0.5 + small / 12 - small**3 / 720 + small**5 / 30240
        return torch.where(is_small, series, 0.5 + 0.5 / torch.tanh(large / 2) - 1 / large)


def _split_near_zero(logit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the series applies, and the input of each branch of `torch.where`.

    The branch not selected gets a constant, because its gradient, zero times NaN, would make the sum NaN.
    """
    is_small = logit.abs() < NEAR_ZERO
    return is_small, torch.where(is_small, logit, 0.0), torch.where(is_small, 1.0, logit)


@final
class Scale(nn.Module):
    """One positive number, fixed, or learned and kept above SMALLEST_SCALE by a softplus on its logarithm.

    The parameter is close to the logarithm, as in Rybkin et al. 2021, so that weight decay moves the scale to 1.
    Raises ValueError for a start that is not finite and above 0, or not above that bound, as a value of `name`.
    """

    unbounded_log: Tensor
    fixed_log: Tensor

    def __init__(self, start: float, learned: bool, name: str) -> None:
        super().__init__()
        least = SMALLEST_SCALE if learned else 0.0
        if not least < start < math.inf:
            raise ValueError(f"{name}: expected a number above {least:g}, found {start}; try 1.0")
        self.learned = learned
        if learned:
            floor = math.log(SMALLEST_SCALE)
            unbounded = floor + _inverse_softplus(math.log(start) - floor)
            self.unbounded_log = nn.Parameter(torch.tensor(unbounded))
        else:
            self.register_buffer("fixed_log", torch.tensor(math.log(start)), persistent=False)

    def log(self) -> Float[Tensor, ""]:
        """The natural logarithm of the scale, a scalar."""
        if not self.learned:
            return at_least_float32(self.fixed_log)
        floor = math.log(SMALLEST_SCALE)
        return floor + F.softplus(at_least_float32(self.unbounded_log) - floor)

    def forward(self) -> Float[Tensor, ""]:
        """The scale, a scalar."""
        return self.log().exp()


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))
