"""Precision and recall of samples: how many look like data, and how much of the data they cover."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

NEIGHBOURS = 3
ROWS_AT_ONCE = 1_000  # whose distances to all others are held


def precision_and_recall(
    made: Float[Tensor, "n f"], real: Float[Tensor, "m f"], real_radii: Float[Tensor, " m"]
) -> tuple[float, float]:
    """Of features of samples and of real images: Kynkäänniemi et al. 2019, equation 2, k = 3; higher is better.

    precision: the fraction of samples within the manifold of the real images. recall: the fraction of real images
    within that of the samples. The manifold of a set is the union of the balls around its members. Both depend on the
    numbers of images.

    real_radii: see `squared_radii`.
    """
    if not len(made) or not len(real):
        return 0.0, 0.0
    made_radii, precise = squared_radii(made), []
    recalled = torch.zeros_like(real_radii, dtype=torch.bool)
    for distances, radii in zip(_distances(made, real), made_radii.split(ROWS_AT_ONCE), strict=True):
        precise.append((distances <= real_radii).any(1))
        recalled |= (distances <= radii.unsqueeze(1)).any(0)
    return float(torch.cat(precise).double().mean()), float(recalled.double().mean())


def squared_radii(members: Float[Tensor, "n f"]) -> Float[Tensor, " n"]:
    """The squared radius of the ball around each member, which reaches to the third nearest other member."""
    if not len(members):
        return members.new_zeros(0)
    count = min(NEIGHBOURS + 1, len(members))  # the nearest is the member itself
    near = [distances.topk(count, largest=False).values[:, -1] for distances in _distances(members, members)]
    return torch.cat(near)


def _distances(x: Float[Tensor, "n f"], others: Float[Tensor, "m f"]) -> Iterator[Float[Tensor, "b m"]]:
    """Squared distances of the rows of x, some at a time, to all others."""
    lengths = others.square().sum(1)
    for rows in x.split(ROWS_AT_ONCE):
        yield (rows.square().sum(1, keepdim=True) + lengths).addmm_(rows, others.T, alpha=-2)
