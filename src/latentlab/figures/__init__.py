"""Pure functions from tensors to pictures: each returns a new `Figure` without pyplot's global state."""

from latentlab.figures.decoded_plane import decoded_plane
from latentlab.figures.images import comparison, image_grid
from latentlab.figures.latent_plane import latent_plane
from latentlab.figures.matrices import matrices
from latentlab.figures.posterior_ellipses import posterior_ellipses
from latentlab.figures.unit_activity import unit_activity

__all__ = [
    "comparison",
    "decoded_plane",
    "image_grid",
    "latent_plane",
    "matrices",
    "posterior_ellipses",
    "unit_activity",
]
