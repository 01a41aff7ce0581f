"""Initial weights of a linear layer."""

from typing import Literal

from torch import nn

Initialization = Literal["torch", "orthogonal"]

# of a layer after a nonlinearity of that kind, so that signals keep their size from layer to layer (He et al. 2015)
GAINS = {"tanh": 5 / 3, "sigmoid": 1.0}
GAIN_OF_RECTIFIERS = 2**0.5


def initialized(layer: nn.Linear, activation: str, initialization: Initialization) -> nn.Linear:
    """The layer with torch's initial weights, or with orthogonal weights (Saxe et al. 2014) and biases of zero.

    torch's own weights shrink a signal by about 1.7 per layer and more: deep nets then learn the mean image first, and
    nothing else for a long time.
    """
    if initialization == "orthogonal":
        nn.init.orthogonal_(layer.weight, gain=GAINS.get(activation, GAIN_OF_RECTIFIERS))
        nn.init.zeros_(layer.bias)
    return layer
