"""A prior by a normalizing flow."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, cast, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Label, one_hot
from latentlab.functional.densities import StandardGaussian
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.base import Encoder, joined
from latentlab.models.priors import Prior, check_count

Points = Float[Tensor, "*b d"]


@final
class AffineCoupling(nn.Module):
    """An invertible map: kept units give the others a scale and a shift (Dinh et al. 2017, equation 9).

    The logarithm of a scale is within -1 and 1, by a tanh, so that deep flows stay finite. It starts as the identity.

    kept: which units are kept. condition_features: of the label. width: of the two hidden layers of its network.
    """

    kept: Tensor

    def __init__(self, kept: Bool[Tensor, " d"], condition_features: int, width: int) -> None:
        super().__init__()
        self.register_buffer("kept", kept.to(torch.get_default_dtype()), persistent=False)
        self.hidden = nn.Sequential(
            nn.Linear(len(kept) + condition_features, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.head = nn.Linear(width, 2 * len(kept))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, e: Points, condition: Condition) -> Points:
        """From the base distribution to codes, (..., D)."""
        log_scale, shift = self._log_scale_and_shift(e, condition)
        return e * log_scale.exp() + shift

    def inverse(self, z: Points, condition: Condition) -> tuple[Points, Float[Tensor, "*b"]]:
        """From codes to the base distribution, (..., D), and log |det| of this map's Jacobian, (...)."""
        log_scale, shift = self._log_scale_and_shift(z, condition)
        return (z - shift) * (-log_scale).exp(), -log_scale.sum(-1)

    def _log_scale_and_shift(self, of: Points, condition: Condition) -> tuple[Points, Points]:
        seen = joined(of * self.kept, None if condition is None else condition.expand(*of.shape[:-1], -1))
        log_scale, shift = at_least_float32(self.head(self.hidden(seen.to(self.kept)))).chunk(2, -1)
        moved = 1 - self.kept
        return moved * log_scale.tanh(), moved * shift


@final
class Flow(NamedTuple):
    """N(0, I) of B rows, taken through invertible maps in order.

    base: N(0, I). layers: the maps. condition: of each row, (B, K), or None.
    """

    base: StandardGaussian
    layers: Sequence[AffineCoupling]
    condition: Condition

    def log_prob(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b"]:
        """The log-density of codes (..., B, D) by the change of variables, in nats: (..., B)."""
        e, log_det = at_least_float32(z), torch.zeros((), device=z.device)
        for layer in reversed(self.layers):
            e, of_layer = layer.inverse(e, self.condition)
            log_det = log_det + of_layer
        return self.base.log_prob(e) + log_det

    def draw(self, generator: torch.Generator | None = None) -> Code:
        """One code for each row, (B, D)."""
        z = self.base.draw(generator)
        for layer in self.layers:
            z = layer(z, self.condition)
        return z


@final
class FlowPrior(Prior):
    """N(0, I) taken through affine coupling layers, which see the label where the variant is conditioned on it.

    Real NVP (Dinh et al. 2017) as the prior of a VAE, as Chen et al. 2017, section 3.2, has an autoregressive flow. It
    starts at N(0, I).

    layers: coupling layers; each changes about half of the units by the others.
    width: of the two hidden layers of each one's network.

    Raises ValueError for fewer than one of either.
    """

    gaussian: ClassVar[bool] = False

    def __init__(
        self,
        latent_dim: int,
        num_classes: int,
        image_shape: tuple[int, int, int],
        layers: int = 8,
        width: int = 256,
    ) -> None:
        super().__init__(latent_dim, num_classes, image_shape)
        check_count("prior.layers", layers)
        check_count("prior.width", width)
        self.layers = nn.ModuleList(
            AffineCoupling(kept_units(latent_dim, layer), num_classes, width) for layer in range(layers)
        )

    def forward(self, y: Label, encoder: Encoder) -> Flow:
        condition = one_hot(y, self.num_classes) if self.num_classes else None
        base = StandardGaussian(len(y), self.latent_dim, y.device)
        return Flow(base, cast("list[AffineCoupling]", list(self.layers)), condition)


def kept_units(units: int, layer: int) -> Bool[Tensor, " d"]:
    """Which units a coupling layer keeps: those with one value of a bit of their index, the next layer the others.

    Each pair of layers takes the next bit. With 2 ceil(log2 D) layers or more some pair separates any two units; with
    fewer, such as 8 for more than 16 units, units that differ in further bits alone are kept and changed together.
    """
    bits = max(1, (units - 1).bit_length())
    return (torch.arange(units) >> (layer // 2 % bits)) % 2 == layer % 2
