"""Initial weights of linear layers and convolutions."""

from math import prod
from typing import Literal

from torch import nn

from latentlab.models.nets.activations import Activation

Initialization = Literal["torch", "orthogonal"]

# of the layers of a network with that nonlinearity, its first one included, so that the variance of a signal is the
# same in all layers (He et al. 2015)
GAINS = {"tanh": 5 / 3, "sigmoid": 1.0}
GAIN_OF_RECTIFIERS = 2**0.5


def initialized(layer: nn.Linear, activation: Activation, initialization: Initialization) -> nn.Linear:
    """The layer with torch's initial weights, or with orthogonal weights (Saxe et al. 2014) and biases of zero.

    With torch's own weights a signal shrinks by a factor of 1.7 or more per layer: deep nets then learn the mean image
    alone for many epochs.
    """
    if initialization == "orthogonal":
        nn.init.orthogonal_(layer.weight, gain=gain_after(activation))
        nn.init.zeros_(layer.bias)
    return layer


def gain_after(activation: Activation) -> float:
    """The factor of a layer's standard deviation that makes up for the nonlinearity between layers."""
    return GAINS.get(activation, GAIN_OF_RECTIFIERS)


def keeping_variance(convolution: nn.Conv2d | nn.ConvTranspose2d, gain: float = 1.0) -> nn.Module:
    """The convolution with normal weights of the variance gain^2 / inputs (He et al. 2015), and a bias of zero.

    The inputs of an output of a transposed convolution of stride s are 1 / s^2 of its kernel's, on average.
    """
    shared = prod(convolution.stride) if isinstance(convolution, nn.ConvTranspose2d) else 1
    inputs = convolution.in_channels * prod(convolution.kernel_size) / shared
    nn.init.normal_(convolution.weight, std=gain / inputs**0.5)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
