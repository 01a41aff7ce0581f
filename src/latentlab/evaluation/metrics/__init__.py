"""One measurement a file: a function of (model, loader) that yields names and values."""
