"""Pure functions from tensors to pictures: each returns a new `Figure` without pyplot's global state."""
