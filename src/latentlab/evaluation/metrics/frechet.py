"""The Fréchet distance between two sets of features."""

import torch
from jaxtyping import Float
from torch import Tensor


def frechet_distance(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    """|mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)), A and B the covariances: Heusel et al. 2017, equation 6.

    Lower is better. It depends on the network of the features and is biased by the number of rows: it is comparable
    only with distances between equally many rows of the same features.
    """
    a, b = a.double(), b.double()
    root = _root(torch.cov(a.T))
    # the eigenvalues of A B are those of A^(1/2) B A^(1/2), which is symmetric
    crossed = torch.linalg.eigvalsh(root @ torch.cov(b.T) @ root).clamp_min(0).sqrt().sum()
    spread = torch.cov(a.T).trace() + torch.cov(b.T).trace() - 2 * crossed
    return float((a.mean(0) - b.mean(0)).square().sum() + spread.clamp_min(0))


def _root(covariance: Float[Tensor, "f f"]) -> Float[Tensor, "f f"]:
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T
