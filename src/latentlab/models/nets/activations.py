"""Elementwise nonlinearities by name."""

from difflib import get_close_matches

from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}


def activation_named(name: str) -> nn.Module:
    """A new module of that name, with the default options of PyTorch.

    Raises ValueError for an unknown name.
    """
    if name not in ACTIVATIONS:
        nearest = get_close_matches(name, ACTIVATIONS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"activation: expected one of {', '.join(ACTIVATIONS)}, found {name!r}; the nearest is {nearest}"
        )
    return ACTIVATIONS[name]()
