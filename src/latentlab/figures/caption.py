"""The line below a picture's title."""


def caption(variant: str, data: str, seed: int, run: str, weights: str, shown: str) -> str:
    """Which model on which data, and what of it is shown."""
    return f"{variant} on {data}, seed {seed}, run {run}, {weights}. {shown}"
