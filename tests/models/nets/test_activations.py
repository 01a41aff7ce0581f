import math

import pytest
import torch
from torch import nn

from latentlab.models.nets.activations import ACTIVATIONS, activation_named

E = math.e
SIGMOID_1 = 1 / (1 + 1 / E)
NORMAL_CDF_1 = 0.5 * (1 + math.erf(1 / math.sqrt(2)))

# name: value at -1, at 0, at 1
TABLE = {
    "elu": (1 / E - 1, 0.0, 1.0),
    "gelu": (NORMAL_CDF_1 - 1, 0.0, NORMAL_CDF_1),
    "leaky_relu": (-0.01, 0.0, 1.0),
    "relu": (0.0, 0.0, 1.0),
    "sigmoid": (1 - SIGMOID_1, 0.5, SIGMOID_1),
    "silu": (SIGMOID_1 - 1, 0.0, SIGMOID_1),
    "softplus": (math.log1p(1 / E), math.log(2), math.log1p(E)),
    "tanh": (-math.tanh(1), 0.0, math.tanh(1)),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_name_gives_the_function_of_that_name(name):
    values = activation_named(name)(torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(values, torch.tensor(TABLE[name], dtype=torch.float64))


@pytest.mark.parametrize("name", TABLE)
def test_the_gradient_of_each_after_a_layer_is_right(name):
    torch.manual_seed(0)
    layer, x = nn.Linear(3, 2).double(), torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(nn.Sequential(layer, activation_named(name)), x)


def test_the_table_has_every_name():
    assert set(TABLE) == set(ACTIVATIONS)


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        ("rleu", "; did you mean relu?"),
        ("ReLU", "; did you mean relu or elu or gelu?"),
        ("sillu", "; did you mean silu?"),
        ("leakyrelu", "; did you mean leaky_relu or relu?"),
        ("swish", ""),
    ],
)
def test_an_unknown_name_is_refused_with_the_allowed_and_the_nearest_names(found, hint):
    with pytest.raises(ValueError, match=r"^activation: ") as error:
        activation_named(found)
    allowed = "elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh"
    assert str(error.value) == f"activation: unknown, found '{found}'{hint} (allowed: {allowed})"
