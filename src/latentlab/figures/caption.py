"""The line below a picture's title."""


def caption(variant: str, data: str, seed: int, run: str, weights: str, shown: str) -> str:
    """The model, its data, and the content of the picture, in a line."""
    return f"{variant} on {data}, seed {seed}, run {run}, {weights}. {shown}"
