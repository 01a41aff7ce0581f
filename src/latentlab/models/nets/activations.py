"""Elementwise nonlinearities by name."""

from typing import Literal

from torch import nn

from latentlab.errors import nearest, unknown

Activation = Literal["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "softplus", "tanh"]

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
        raise ValueError(unknown(f"activation: unknown, found {name!r}", nearest(name, ACTIVATIONS), ACTIVATIONS))
    return ACTIVATIONS[name]()
