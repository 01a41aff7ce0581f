"""When to draw, save, stop and log; never how to draw."""
