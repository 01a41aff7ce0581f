import pytest
import torch

from latentlab.models.nets.linear import LinearEncoder
from latentlab.models.nets.mlp import MLPEncoder
from latentlab.models.nets.tied import TiedDecoder
from tests.models.variants import batch, build


def tied(encoder: LinearEncoder, features: int, condition_features: int = 0) -> TiedDecoder:
    decoder = TiedDecoder(features, (1, 3, 4), condition_features)
    decoder.tie_to(encoder)
    return decoder


def test_the_decoder_is_the_transposed_encoder():
    encoder = LinearEncoder((1, 3, 4), 5)
    z = torch.randn(2, 5)
    torch.testing.assert_close(tied(encoder, 5)(z).flatten(1), z @ encoder.layer.weight)


def test_the_decoder_has_one_bias_per_pixel_and_no_weight_of_its_own():
    encoder = LinearEncoder((1, 3, 4), 5)
    own = {*tied(encoder, 5).parameters()} - {*encoder.parameters()}
    assert [parameter.shape for parameter in own] == [(12,)]


def test_of_a_posterior_the_weights_of_the_mean_are_shared():
    encoder = LinearEncoder((1, 3, 4), 10, condition_features=7)
    z = torch.randn(2, 5)
    decoder = tied(encoder, 5, condition_features=7)
    torch.testing.assert_close(decoder(z, torch.zeros(2, 7)).flatten(1), z @ encoder.layer.weight[:5, :12])


def test_the_gradient_of_the_shared_matrix_is_the_sum_of_both_uses():
    encoder = LinearEncoder((1, 3, 4), 5).double()
    decoder = tied(encoder, 5).double()
    x = torch.rand(2, 1, 3, 4, dtype=torch.float64)

    def loss(weight):
        z = torch.nn.functional.linear(x.flatten(1), weight, encoder.layer.bias)
        return (z @ weight + decoder.bias).square().sum()

    decoder(encoder(x)).square().sum().backward()
    weight = encoder.layer.weight
    torch.testing.assert_close(weight.grad, torch.func.grad(loss)(weight.detach()))


def test_a_model_stays_tied_when_its_weights_are_loaded():
    model, other = build("ae", "tied"), build("ae", "tied", seed=1)
    model.load_state_dict(other.state_dict())
    assert model.decoder.weight is model.encoder.layer.weight
    x, y = batch().x, batch().y
    torch.testing.assert_close(
        model.decode_parameters(model.encode(x, y).z, y), other.decode_parameters(other.encode(x, y).z, y)
    )


def test_only_a_linear_encoder_can_be_tied():
    with pytest.raises(ValueError, match="need a LinearEncoder, found MLPEncoder; choose net=tied"):
        TiedDecoder(3, (1, 4, 4)).tie_to(MLPEncoder((1, 4, 4), 3, widths=[8], activation="relu"))
