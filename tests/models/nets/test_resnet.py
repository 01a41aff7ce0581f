import pytest
import torch
from torch import nn

from latentlab.models.nets.resnet import ResidualBlock, ResNetDecoder, ResNetEncoder, normalized

OPTIONS = {"widths": [8, 16], "activation": "silu"}


def test_a_block_adds_to_what_it_is_given_twice_norm_nonlinearity_and_convolution():
    block = ResidualBlock(8, "silu", scale=0.5)
    norm, convolution = nn.GroupNorm, nn.Conv2d
    assert [type(layer) for layer in block.residual] == [norm, nn.SiLU, convolution] * 2
    x = 10 * torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(block(x), x + block.residual(x))


def test_each_level_halves_the_image_and_the_decoder_reverses_the_sizes():
    options = {"widths": [4, 5, 6], "blocks": 2, "activation": "relu"}
    encoder, decoder = ResNetEncoder((3, 28, 21), 3, **options), ResNetDecoder(3, (3, 28, 21), **options)
    down, up = [], []
    for net, sizes in ((encoder, down), (decoder, up)):
        for layer in net.stream:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | ResidualBlock):
                layer.register_forward_hook(lambda _, __, out, sizes=sizes: sizes.append(tuple(out.shape[1:])))
    decoder(encoder(torch.rand(1, 3, 28, 21)))
    assert down == [(4, 14, 11)] * 3 + [(5, 7, 6)] * 3 + [(6, 4, 3)] * 3
    assert up == [(6, 4, 3)] * 2 + [(5, 7, 6)] * 3 + [(4, 14, 11)] * 3 + [(3, 28, 21)]


def test_the_stream_is_normalised_once_more_where_it_ends():
    encoder, decoder = (
        ResNetEncoder((1, 8, 8), 3, blocks=1, **OPTIONS),
        ResNetDecoder(3, (1, 8, 8), blocks=1, **OPTIONS),
    )
    assert [type(layer) for layer in encoder.stream[-2:]] == [nn.GroupNorm, nn.SiLU]
    assert [type(layer) for layer in decoder.stream[-3:]] == [nn.GroupNorm, nn.SiLU, nn.ConvTranspose2d]


@pytest.mark.parametrize("activation", ["silu", "relu", "tanh"])
@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("side", [8, 28, 33, 64, 128])
@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_at_the_start_signals_and_gradients_have_one_order_of_magnitude_at_every_depth(half, side, blocks, activation):
    """The signal as a root mean square; the gradient as the norm for an image, from one of norm 1 at the output."""
    torch.manual_seed(0)
    shape, options = (3, side, side), {"widths": [8, 16], "blocks": blocks, "activation": activation}
    net = ResNetEncoder(shape, 32, **options) if half == "encoder" else ResNetDecoder(32, shape, **options)
    signals = []
    for layer in net.stream:
        if not isinstance(layer, nn.GroupNorm | type(net.stream[-1])) or layer is net.stream[-1]:
            layer.register_forward_hook(lambda _, __, out: signals.append(out))
    out = net(torch.rand(16, *shape) if half == "encoder" else torch.randn(16, 32))
    noise = torch.randn(out.shape)
    slopes = torch.autograd.grad(out, signals, noise / noise[0].numel() ** 0.5)
    for signal in (*signals, out):
        assert 0.25 < signal.square().mean().sqrt() < 4
    for slope in slopes:
        assert 0.25 < slope.flatten(1).norm(dim=1).mean() < 4


@pytest.mark.parametrize(
    ("channels", "groups"), [(1, 1), (2, 1), (5, 1), (6, 1), (8, 2), (12, 3), (20, 5), (32, 8), (48, 8), (128, 8)]
)
def test_groups_are_at_most_eight_and_of_at_least_four_channels(channels, groups):
    norm, _ = normalized(channels, "relu")
    assert (norm.num_groups, norm.num_channels) == (groups, channels)


@pytest.mark.parametrize("net", [ResNetEncoder, ResNetDecoder])
def test_no_blocks_are_refused(net):
    with pytest.raises(ValueError, match=r"^blocks: expected at least 1, found 0; 2 is usual$"):
        net(image_shape=(1, 8, 8), features=3, blocks=0, **OPTIONS)
