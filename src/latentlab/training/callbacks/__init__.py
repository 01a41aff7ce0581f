"""When to draw, save, stop and report; never how to draw."""
