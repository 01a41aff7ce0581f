import pytest
import torch
from torch import nn

from latentlab.models.nets.mlp import MLPDecoder, MLPEncoder

OPTIONS = {"widths": [400], "activation": "relu"}


def test_the_classic_encoder_is_flatten_linear_relu_linear():
    torch.manual_seed(0)
    encoder = MLPEncoder((1, 28, 28), 20, **OPTIONS)
    torch.manual_seed(0)
    by_hand = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 20))
    x = torch.rand(8, 1, 28, 28)
    assert torch.equal(encoder(x), by_hand(x))
    assert [type(layer) for layer in encoder.layers] == [nn.Linear, nn.ReLU, nn.Linear]


def test_the_classic_decoder_is_linear_relu_linear_unflatten():
    torch.manual_seed(0)
    decoder = MLPDecoder(20, (1, 28, 28), **OPTIONS)
    torch.manual_seed(0)
    by_hand = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
    z = torch.randn(8, 20)
    assert torch.equal(decoder(z), by_hand(z))
    assert [type(layer) for layer in decoder.layers] == [nn.Linear, nn.ReLU, nn.Linear]


@pytest.mark.parametrize("widths", [[], [7], [7, 6, 5]])
def test_the_decoder_mirrors_the_widths(widths):
    def sizes(net):
        return [(m.in_features, m.out_features) for m in net.layers if isinstance(m, nn.Linear)]

    encoder = sizes(MLPEncoder((1, 8, 8), 3, widths=widths, activation="relu"))
    decoder = sizes(MLPDecoder(3, (1, 8, 8), widths=widths, activation="relu"))
    assert len(encoder) == len(widths) + 1
    assert decoder == [(outputs, inputs) for inputs, outputs in reversed(encoder)]


def test_the_condition_is_concatenated_with_the_pixels_and_with_the_code():
    assert MLPEncoder((1, 8, 8), 3, 10, **OPTIONS).layers[0].in_features == 64 + 10
    assert MLPDecoder(3, (1, 8, 8), 10, **OPTIONS).layers[0].in_features == 3 + 10


def test_the_activation_is_chosen_by_its_name():
    assert isinstance(MLPEncoder((1, 8, 8), 3, widths=[4], activation="gelu").layers[1], nn.GELU)


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
def test_orthogonal_weights_preserve_the_scale_of_a_signal_through_many_layers(activation):
    deep = {"widths": [256] * 8, "activation": activation}
    x = torch.randn(64, 1, 16, 16)
    torch.manual_seed(0)
    kept, shrunk = (
        float(MLPEncoder((1, 16, 16), 32, **deep, initialization=how)(x).std()) for how in ("orthogonal", "torch")
    )
    assert kept > 0.2
    assert kept > 5 * shrunk


def test_orthogonal_weights_are_orthogonal_and_biases_zero():
    layer = MLPEncoder((1, 8, 8), 32, widths=[16], activation="relu", initialization="orthogonal").layers[0]
    torch.testing.assert_close(layer.weight @ layer.weight.T, 2 * torch.eye(16), atol=1e-5, rtol=0)
    assert not layer.bias.any()
