"""Gated recurrent units (GRU) over the rows of an image.

Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
2014, with the reset gate on the projected state, as in cuDNN and torch.nn.GRU. torch.nn.GRU is not used because
it has no batching rule for torch.func.vmap.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.functional.batch import Code, Condition, Image
from latentlab.functional.precision import at_least_float32
from latentlab.models.nets.activations import Activation, activation_named
from latentlab.models.nets.base import Decoder, Encoder, checked_widths, joined

State = Float[Tensor, "b width"]


@final
class GRU(nn.Module):
    """One layer of `width` gated recurrent units; `activation` is that of the candidate state."""

    def __init__(self, features: int, width: int, activation: Activation) -> None:
        super().__init__()
        self.width = width
        self.input = nn.Linear(features, 3 * width)  # reset, update, candidate, as in torch.nn.GRU
        self.recurrent = nn.Linear(width, 3 * width)
        self.activation = activation_named(activation)

    def forward(self, sequence: Float[Tensor, "b t f"], state: State) -> list[State]:
        """The state after each step of the sequence, starting from `state`."""
        return self._unrolled(self.input(sequence).unbind(1), state)

    def repeat(self, inputs: Float[Tensor, "b f"], steps: int, state: State) -> list[State]:
        """The state after each of `steps` steps with the same inputs, which are projected once."""
        return self._unrolled([self.input(inputs)] * steps, state)

    def _unrolled(self, projected: Sequence[Float[Tensor, "b gates"]], state: State) -> list[State]:
        states = []
        for inputs in projected:
            state = self._step(inputs, state)
            states.append(state)
        return states

    def _step(self, inputs: Float[Tensor, "b gates"], state: State) -> State:
        """Cho et al. 2014, equations 5 to 8."""
        sizes = [2 * self.width, self.width]
        input_gates, input_candidate = inputs.split(sizes, dim=1)
        state_gates, state_candidate = self.recurrent(state).split(sizes, dim=1)
        reset, update = torch.sigmoid(input_gates + state_gates).chunk(2, dim=1)
        candidate = self.activation(input_candidate + reset * state_candidate)
        return candidate + update * (state - candidate)


@final
class RNNEncoder(Encoder):
    """One GRU per width over the rows from top to bottom, each joined with the condition; then a linear map.

    widths: units of the layers, from the image inwards.
    activation: of the candidate state.

    Raises ValueError for widths that are empty or not positive, and for an unknown activation.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        features: int,
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
    ) -> None:
        super().__init__()
        channels, _, width = image_shape
        self.widths = checked_widths(widths)
        self.first = GRU(channels * width + condition_features, self.widths[0], activation)
        self.others = nn.ModuleList(GRU(below, units, activation) for below, units in pairwise(self.widths))
        self.head = nn.Linear(self.widths[-1], features)

    def forward(self, x: Image, condition: Condition = None) -> Float[Tensor, "b features"]:
        rows = x.transpose(1, 2).flatten(2)
        repeated = None if condition is None else condition.unsqueeze(1).expand(-1, rows.shape[1], -1)
        starts = [x.new_zeros(x.shape[0], units) for units in self.widths]
        states = self.first(joined(rows, repeated), starts[0])
        for layer, start in zip(self.others, starts[1:], strict=True):
            states = layer(torch.stack(states, dim=1), start)
        return at_least_float32(self.head(states[-1]))


@final
class RNNDecoder(Decoder):
    """GRUs of `widths` from last to first, whose states after each step are mapped linearly to a row.

    As in Cho et al. 2014, section 2.2 and appendix A.1.2, the summary (here code and condition) determines the
    initial state of each layer and is the input of the first layer at every step. Unlike there, the previous rows
    are not an input: there is no teacher forcing.

    widths: units of the layers, from the image inwards; they are used from last to first.
    activation: of the candidate state.

    Raises ValueError for widths that are empty or not positive, and for an unknown activation.
    """

    def __init__(
        self,
        features: int,
        image_shape: tuple[int, int, int],
        condition_features: int = 0,
        *,
        widths: Sequence[int],
        activation: Activation,
    ) -> None:
        super().__init__()
        self.channels, self.height, self.width = image_shape
        self.widths = checked_widths(widths)[::-1]
        summary = features + condition_features
        self.start = nn.Sequential(nn.Linear(summary, sum(self.widths)), activation_named(activation))
        self.first = GRU(summary, self.widths[0], activation)
        self.others = nn.ModuleList(GRU(below, units, activation) for below, units in pairwise(self.widths))
        self.head = nn.Linear(self.widths[-1], self.channels * self.width)

    def forward(self, z: Code, condition: Condition = None) -> Image:
        summary = joined(z, condition)
        # in the code's dtype, so that the states accumulate in float32 under autocast
        starts = self.start(summary).to(z.dtype).split(self.widths, dim=1)
        states = self.first.repeat(summary, self.height, starts[0])
        for layer, start in zip(self.others, starts[1:], strict=True):
            states = layer(torch.stack(states, dim=1), start)
        rows = at_least_float32(self.head(torch.stack(states, dim=1)))
        return rows.unflatten(2, (self.channels, self.width)).transpose(1, 2)
