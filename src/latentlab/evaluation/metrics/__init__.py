"""One measurement per file: a generator of (metric's name, value)."""
