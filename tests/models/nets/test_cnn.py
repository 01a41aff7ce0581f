import pytest
import torch
from torch import nn

import latentlab as ll
from latentlab.models.nets.cnn import CNNDecoder, CNNEncoder


def test_each_layer_halves_the_image_and_the_decoder_reverses_the_sizes():
    encoder = CNNEncoder((1, 28, 20), 3, widths=[4, 5, 6], activation="relu")
    decoder = CNNDecoder(3, (1, 28, 20), widths=[4, 5, 6], activation="relu")
    down, up = [], []
    for net, convolution, sizes in ((encoder, nn.Conv2d, down), (decoder, nn.ConvTranspose2d, up)):
        for layer in net.convolutions:
            if isinstance(layer, convolution):
                layer.register_forward_hook(lambda _, __, out, sizes=sizes: sizes.append(tuple(out.shape[1:])))
    decoder(encoder(torch.rand(1, 1, 28, 20)))
    assert down == [(4, 14, 10), (5, 7, 5), (6, 4, 3)]
    assert up == [(5, 7, 5), (4, 14, 10), (1, 28, 20)]


def test_the_condition_is_concatenated_after_the_convolutions():
    encoder = CNNEncoder((1, 28, 28), 3, 10, widths=[4, 5], activation="relu")
    decoder = CNNDecoder(3, (1, 28, 28), 10, widths=[4, 5], activation="relu")
    assert encoder.head.in_features == 5 * 7 * 7 + 10
    assert decoder.stem.in_features == 3 + 10


def test_the_nonlinearity_is_between_linear_maps_alone():
    encoder = CNNEncoder((1, 8, 8), 3, widths=[4, 5], activation="silu")
    decoder = CNNDecoder(3, (1, 8, 8), widths=[4, 5], activation="silu")
    assert [type(m) for m in encoder.convolutions] == [nn.Conv2d, nn.SiLU] * 2
    assert [type(m) for m in decoder.convolutions] == [nn.SiLU, nn.ConvTranspose2d] * 2


@pytest.mark.parametrize("side", [33, 64, 128])
def test_large_images_are_encoded_and_decoded_and_the_linear_maps_stay_small(side):
    shape, options = (3, side, side), {"widths": [4, 8], "activation": "relu"}
    encoder, decoder = CNNEncoder(shape, 6, **options), CNNDecoder(6, shape, **options)
    assert decoder(encoder(torch.zeros(2, *shape))).shape == (2, *shape)
    assert max(encoder.convolutions(torch.zeros(1, *shape)).shape[2:]) <= 9


def test_one_key_sets_the_levels_of_both_networks():
    model = ll.build("ae", "net=cnn", "net.levels=4", image_shape=(1, 28, 28))
    assert len([m for m in model.encoder.modules() if isinstance(m, nn.Conv2d)]) == 4
    assert len([m for m in model.decoder.modules() if isinstance(m, nn.ConvTranspose2d)]) == 4
