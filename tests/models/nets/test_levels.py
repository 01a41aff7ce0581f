"""How many levels a convolutional network has, and which sizes it restores."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.models.nets.cnn import CNNDecoder, CNNEncoder
from latentlab.models.nets.levels import channels_of
from latentlab.models.nets.resnet import ResNetDecoder, ResNetEncoder

FAMILIES = [
    (CNNEncoder, CNNDecoder, {"activation": "relu"}),
    (ResNetEncoder, ResNetDecoder, {"activation": "relu", "blocks": 1}),
]
every_net = pytest.mark.parametrize(("net", "options"), [(net, options) for *nets, options in FAMILIES for net in nets])


def most_halvings(side: int) -> int:
    count = 0
    while side > 1:
        side, count = (side + 1) // 2, count + 1
    return count


@settings(deadline=None, max_examples=30)
@given(height=st.integers(8, 64), width=st.integers(8, 64), family=st.sampled_from(FAMILIES))
def test_the_deepest_net_that_is_allowed_restores_every_size(height, width, family):
    encoder, decoder, options = family
    widths = [2] * most_halvings(min(height, width))
    x = torch.rand(2, 1, height, width)
    z = encoder((1, height, width), 3, widths=widths, **options)(x)
    assert decoder(3, (1, height, width), widths=widths, **options)(z).shape == x.shape


@every_net
@pytest.mark.parametrize(
    ("height", "width", "most"), [(8, 8, 3), (9, 13, 4), (28, 28, 5), (64, 8, 3), (64, 64, 6), (1, 8, 0)]
)
def test_one_layer_more_than_the_image_can_be_halved_is_refused(net, options, height, width, most):
    with pytest.raises(ValueError, match=r"^widths: ") as error:
        net(image_shape=(1, height, width), features=2, widths=[4] * (most + 1), **options)
    assert str(error.value) == (
        f"widths: expected at most {most} widths or levels, as each halves the {height}x{width} image, "
        f"found {most + 1}; drop 1"
    )


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (8, [32, 64]),
        (28, [32, 64]),
        (32, [32, 64]),
        (33, [32, 64, 128]),
        (64, [32, 64, 128]),
        (128, [32, 64, 128, 256]),
    ],
)
def test_each_doubling_above_32_pixels_adds_a_level(side, expected):
    assert channels_of([32, 64], (3, side, side + 5)) == expected
    assert channels_of([5, 6, 7, 8, 9], (3, side, side)) == [5, 6, 7, 8, 9]


def test_the_number_of_levels_may_be_given():
    assert channels_of([8], (1, 128, 128), levels=3) == [8, 16, 32]
    assert channels_of([8, 8], (1, 128, 128), levels=2) == [8, 8]
    with pytest.raises(ValueError, match="levels: expected at least one per width, 2, found 1"):
        channels_of([8, 8], (1, 28, 28), levels=1)
