"""The latent space under the pointer: a local page, and one that needs no server."""
