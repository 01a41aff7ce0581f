"""Tensors to pictures, pure: each function returns a `Figure` of its own, kept nowhere (no pyplot)."""

from latentlab.figures.images import comparison, image_grid
from latentlab.figures.latent_plane import latent_plane
from latentlab.figures.unit_activity import unit_activity

__all__ = ["comparison", "image_grid", "latent_plane", "unit_activity"]
