from itertools import pairwise

import pytest
import torch
from torch import nn

from latentlab.models.nets.rnn import GRU, RNNDecoder, RNNEncoder


def with_weights_of(reference: nn.GRU) -> list[GRU]:
    """Layers of this package, with tanh and the weights of `reference`."""
    sizes = [reference.input_size] + [reference.hidden_size] * reference.num_layers
    layers = [GRU(below, width, "tanh").double() for below, width in pairwise(sizes)]
    for index, layer in enumerate(layers):
        layer.input.weight.data = getattr(reference, f"weight_ih_l{index}").data.clone()
        layer.input.bias.data = getattr(reference, f"bias_ih_l{index}").data.clone()
        layer.recurrent.weight.data = getattr(reference, f"weight_hh_l{index}").data.clone()
        layer.recurrent.bias.data = getattr(reference, f"bias_hh_l{index}").data.clone()
    return layers


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_stacked_layers_give_the_values_and_gradients_of_torch_gru(depth):
    torch.manual_seed(0)
    reference = nn.GRU(6, 5, num_layers=depth, batch_first=True).double()
    x = torch.randn(4, 9, 6, dtype=torch.float64, requires_grad=True)
    starts = torch.randn(depth, 4, 5, dtype=torch.float64)
    expected, _ = reference(x, starts)

    sequence = x
    layers = with_weights_of(reference)
    for layer, start in zip(layers, starts, strict=True):
        sequence = torch.stack(layer(sequence, start), dim=1)
    torch.testing.assert_close(sequence, expected)

    loss_weights = torch.randn_like(expected)
    (slope,) = torch.autograd.grad((sequence * loss_weights).sum(), x)
    (expected_slope,) = torch.autograd.grad((expected * loss_weights).sum(), x)
    torch.testing.assert_close(slope, expected_slope)


def test_repeating_an_input_equals_a_constant_sequence():
    layer = GRU(6, 5, "tanh").double()
    x, start = torch.randn(4, 6, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    sequence = x.unsqueeze(1).expand(-1, 7, -1)
    torch.testing.assert_close(layer.repeat(x, 7, start), layer(sequence, start))


def test_the_encoder_reads_rows_from_top_to_bottom_and_keeps_the_last_state():
    torch.manual_seed(0)
    encoder = RNNEncoder((3, 7, 4), 2, widths=[5], activation="tanh").double()
    reference = nn.GRU(12, 5, batch_first=True).double()
    (encoder.first,) = with_weights_of(reference)
    x = torch.rand(2, 3, 7, 4, dtype=torch.float64)
    rows = torch.stack([x[:, :, row].reshape(2, 12) for row in range(7)], dim=1)
    torch.testing.assert_close(encoder(x), encoder.head(reference(rows)[1][0]))


def test_the_condition_is_concatenated_with_every_row():
    torch.manual_seed(0)
    encoder = RNNEncoder((1, 7, 4), 2, 3, widths=[5], activation="tanh").double()
    reference = nn.GRU(4 + 3, 5, batch_first=True).double()
    (encoder.first,) = with_weights_of(reference)
    x, condition = torch.rand(2, 1, 7, 4, dtype=torch.float64), torch.eye(3, dtype=torch.float64)[:2]
    rows = torch.cat([x[:, 0], torch.stack([condition] * 7, dim=1)], dim=2)
    torch.testing.assert_close(encoder(x, condition), encoder.head(reference(rows)[1][0]))


def test_the_decoder_maps_the_states_of_a_gru_that_starts_from_the_code_to_rows():
    torch.manual_seed(0)
    decoder = RNNDecoder(2, (3, 7, 4), widths=[5, 5], activation="tanh").double()
    reference = nn.GRU(2, 5, num_layers=2, batch_first=True).double()
    z = torch.randn(2, 2, dtype=torch.float64)
    copies = with_weights_of(reference)
    decoder.first, decoder.others = copies[0], nn.ModuleList(copies[1:])
    starts = torch.stack(torch.tanh(decoder.start[0](z)).chunk(2, dim=1))
    rows = decoder.head(reference(torch.stack([z] * 7, dim=1), starts)[0])
    params = decoder(z)
    for row in range(7):
        torch.testing.assert_close(params[:, :, row].reshape(2, 12), rows[:, row])


def test_the_decoder_mirrors_the_widths():
    encoder = RNNEncoder((1, 8, 8), 3, widths=[7, 6, 5], activation="tanh")
    decoder = RNNDecoder(3, (1, 8, 8), widths=[7, 6, 5], activation="tanh")
    assert [layer.width for layer in (encoder.first, *encoder.others)] == [7, 6, 5]
    assert [layer.width for layer in (decoder.first, *decoder.others)] == [5, 6, 7]


def test_the_activation_is_that_of_the_candidate_state():
    """From state 0 with zero weights the gates are 1/2, so one step gives half the activation of the bias."""
    layer = GRU(1, 1, "softplus")
    for parameter in layer.parameters():
        parameter.data.zero_()
    layer.input.bias.data[2] = 2.0
    (state,) = layer(torch.zeros(1, 1, 1), torch.zeros(1, 1))
    torch.testing.assert_close(state, 0.5 * nn.functional.softplus(torch.tensor([[2.0]])))


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (RNNEncoder((1, 8, 8), 3, widths=[7, 6], activation="tanh"), (2, 1, 8, 8)),
        (RNNDecoder(3, (1, 8, 8), widths=[7, 6], activation="tanh"), (2, 3)),
    ],
)
def test_states_accumulate_in_float32_under_autocast(net, shape):
    seen = []
    net.head.register_forward_pre_hook(lambda _, args: seen.append(args[0].dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        net(torch.rand(shape))
    assert seen == [torch.float32]
