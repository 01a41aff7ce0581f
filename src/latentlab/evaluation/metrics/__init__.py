"""One measurement per file: a generator of (name of the metric, value)."""
