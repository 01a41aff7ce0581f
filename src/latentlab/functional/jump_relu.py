"""A rectified code with a learned threshold per unit, and a penalty on the number of active units."""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, PerImage
from latentlab.functional.dead_units import below_threshold
from latentlab.functional.penalties import Activity, Penalty
from latentlab.functional.precision import at_least_float32


@final
class JumpReLU(Penalty):
    """Values above a threshold are kept, their number is penalised: Rajamanoharan et al. 2024, "Jumping ahead".

    Both are step functions of the threshold; pseudo-derivatives by a rectangular kernel train it (equations 8 to 13).
    The logarithm of each unit's threshold is a parameter. Beside the paper, units that the batch never activates are
    raised by how far they are below their threshold, as they have no gradient.

    threshold: of all units at first; above 0.
    bandwidth: width of the kernel: values nearer than half of it to the threshold train it; above 0.

    Raises ValueError for a negative weight, and a threshold or bandwidth that is not above 0.
    """

    log_threshold: Tensor

    def __init__(self, weight: float, threshold: float, bandwidth: float, active_above: float) -> None:
        super().__init__(weight, active_above)
        for name, value in (("threshold", threshold), ("bandwidth", bandwidth)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name}: expected a number above 0, found {value}")
        self.initial_threshold = threshold
        self.bandwidth = bandwidth

    def prepare(self, latent_dim: int) -> None:
        super().prepare(latent_dim)
        self.log_threshold = nn.Parameter(torch.full((latent_dim,), math.log(self.initial_threshold)))

    def activate(self, code: Code) -> Code:
        """The values above their unit's threshold, others zero."""
        return jump_relu(code, self.log_threshold.exp(), self.bandwidth)

    def forward(self, of: Activity) -> PerImage:
        """The number of active units, (B,), and how far the batch's dead units are below their thresholds."""
        threshold = self.log_threshold.exp()
        active = step(at_least_float32(of.raw), threshold, self.bandwidth).sum(1)
        return active + below_threshold(of.raw, of.code, threshold.detach(), of.batch_mean)


def jump_relu(code: Code, threshold: Float[Tensor, " d"], bandwidth: float) -> Code:
    """z H(z - threshold), (B, D), H the Heaviside function.

    Its derivative by z is H(z - threshold); the pseudo-derivative by the threshold -threshold / bandwidth *
    K((z - threshold) / bandwidth), K = 1 within [-1/2, 1/2] and 0 elsewhere; equation 11.
    """
    fixed = threshold.detach()
    return torch.where(code > fixed, code, 0.0) + fixed * _pseudo_step(code, threshold, bandwidth)


def step(code: Code, threshold: Float[Tensor, " d"], bandwidth: float) -> Code:
    """H(z - threshold), (B, D): 1 where a unit is active, else 0.

    Its derivative by z is 0; the pseudo-derivative by the threshold -1 / bandwidth * K((z - threshold) / bandwidth);
    equation 12.
    """
    active = (code > threshold.detach()).to(threshold.dtype)
    return active + _pseudo_step(code, threshold, bandwidth)


def _pseudo_step(code: Code, threshold: Float[Tensor, " d"], bandwidth: float) -> Code:
    """0, whose derivative by the threshold is that of `step`."""
    fixed = threshold.detach()
    kernel = ((code.detach() - fixed).abs() < bandwidth / 2).to(threshold.dtype) / bandwidth
    return kernel * (fixed - threshold)
