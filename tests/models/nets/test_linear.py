import torch

from latentlab.models.nets.linear import LinearDecoder, LinearEncoder


def test_encoder_and_decoder_are_affine():
    encoder = LinearEncoder((1, 3, 4), 2).double()
    decoder = LinearDecoder(2, (1, 3, 4)).double()
    a, b = torch.rand(2, 5, 1, 3, 4, dtype=torch.float64)

    def around(x):
        return decoder(encoder(x))

    torch.testing.assert_close(around(0.3 * a + 0.7 * b), 0.3 * around(a) + 0.7 * around(b))


def test_the_map_has_one_weight_per_pixel_and_feature_and_one_bias_per_feature():
    count = sum(p.numel() for p in LinearEncoder((3, 8, 9), 5, condition_features=10).parameters())
    assert count == (3 * 8 * 9 + 10) * 5 + 5


def test_pixels_are_decoded_in_the_order_in_which_they_are_encoded():
    encoder, decoder = LinearEncoder((2, 3, 4), 24), LinearDecoder(24, (2, 3, 4))
    decoder.layer.weight.data = encoder.layer.weight.data.inverse()
    decoder.layer.bias.data = -decoder.layer.weight.data @ encoder.layer.bias.data
    x = torch.rand(5, 2, 3, 4)
    torch.testing.assert_close(decoder(encoder(x)), x, atol=1e-3, rtol=1e-3)
