"""Properties of all encoders and decoders."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, grad, stack_module_state, vmap

from latentlab.models.nets.base import Decoder, Encoder
from latentlab.models.nets.cnn import CNNDecoder, CNNEncoder
from latentlab.models.nets.linear import LinearDecoder, LinearEncoder
from latentlab.models.nets.mlp import MLPDecoder, MLPEncoder
from latentlab.models.nets.resnet import ResNetDecoder, ResNetEncoder
from latentlab.models.nets.rnn import RNNDecoder, RNNEncoder
from latentlab.models.nets.tied import TiedDecoder

HIDDEN = {"widths": [6, 5], "activation": "tanh"}
FAMILIES = {
    "linear": (LinearEncoder, LinearDecoder, {}),
    "tied": (LinearEncoder, TiedDecoder, {}),
    "mlp": (MLPEncoder, MLPDecoder, HIDDEN),
    "cnn": (CNNEncoder, CNNDecoder, HIDDEN),
    "resnet": (ResNetEncoder, ResNetDecoder, {**HIDDEN, "blocks": 1}),
    "rnn": (RNNEncoder, RNNDecoder, HIDDEN),
}
HALVES = ["encoder", "decoder"]
IMAGE = (2, 9, 13)
LATENT = 4

every_family = pytest.mark.parametrize("family", FAMILIES)
every_half = pytest.mark.parametrize("half", HALVES)
with_and_without_condition = pytest.mark.parametrize("classes", [0, 3])

image_shapes = st.tuples(st.integers(1, 3), st.integers(8, 64), st.integers(8, 64))
latent_sizes = st.one_of(st.sampled_from([1, 1024]), st.integers(1, 1024))


def build(family: str, half: str, image=IMAGE, latent=LATENT, classes=0) -> Encoder | Decoder:
    encoder_class, decoder_class, options = FAMILIES[family]
    encoder = encoder_class(image_shape=image, features=latent, condition_features=classes, **options)
    if half == "encoder":
        return encoder
    decoder = decoder_class(features=latent, image_shape=image, condition_features=classes, **options)
    decoder.tie_to(encoder)
    return decoder


def inputs_of(half: str, image=IMAGE, latent=LATENT, classes=0, rows=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    shape = (rows, *image) if half == "encoder" else (rows, latent)
    first = torch.randn(shape, generator=generator, dtype=dtype)
    condition = torch.eye(classes, dtype=dtype)[torch.arange(rows) % classes] if classes else None
    return first, condition


@every_family
@every_half
@settings(deadline=None, max_examples=25)
@given(image=image_shapes, latent=latent_sizes, classes=st.sampled_from([0, 1, 10]), rows=st.integers(0, 3))
def test_every_image_size_and_latent_size_gives_the_exact_shape(family, half, image, latent, classes, rows):
    net = build(family, half, image, latent, classes)
    out = net(*inputs_of(half, image, latent, classes, rows))
    assert out.shape == ((rows, latent) if half == "encoder" else (rows, *image))


@every_family
@pytest.mark.parametrize("latent", [1, 1024])
@pytest.mark.parametrize("image", [(1, 8, 8), (1, 28, 28), (1, 9, 13), (3, 64, 64)])
def test_decoding_an_encoded_batch_restores_its_shape(family, latent, image):
    x = torch.rand(2, *image)
    z = build(family, "encoder", image, latent)(x)
    assert z.shape == (2, latent)
    assert build(family, "decoder", image, latent)(z).shape == x.shape


@every_family
@every_half
@with_and_without_condition
def test_vmap_over_stacked_nets_equals_a_loop_in_values_and_gradients(family, half, classes):
    torch.manual_seed(0)
    nets = [build(family, half, classes=classes).double() for _ in range(3)]
    inputs = inputs_of(half, classes=classes, dtype=torch.float64)
    stacked, buffers = stack_module_state(nets)

    def output(parameters, buffers):
        return functional_call(nets[0], (parameters, buffers), inputs)

    together = vmap(output)(stacked, buffers)
    torch.testing.assert_close(together, torch.stack([net(*inputs) for net in nets]))

    slopes = vmap(grad(lambda p, b: output(p, b).square().sum()))(stacked, buffers)
    for index, net in enumerate(nets):
        net(*inputs).square().sum().backward()
        for name, parameter in net.named_parameters():
            torch.testing.assert_close(slopes[name][index], parameter.grad)


@every_family
@every_half
@with_and_without_condition
def test_gradients_reach_every_parameter_and_the_input(family, half, classes):
    torch.manual_seed(0)
    net = build(family, half, classes=classes)
    first, condition = inputs_of(half, classes=classes)
    first.requires_grad_()
    net(first, condition).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert (first.grad.abs() > 0).all()


@every_family
@every_half
def test_the_condition_changes_the_output_of_its_own_row_alone(family, half):
    torch.manual_seed(0)
    net = build(family, half, classes=3)
    first, condition = inputs_of(half, classes=3)
    changed = condition.clone()
    changed[0] = torch.tensor([0.0, 0.0, 1.0])
    before, after = net(first, condition), net(first, changed)
    assert (before[0] != after[0]).all()
    torch.testing.assert_close(before[1:], after[1:])


@every_family
@every_half
@with_and_without_condition
def test_float64_stays_float64_and_agrees_with_float32(family, half, classes):
    torch.manual_seed(0)
    net = build(family, half, classes=classes)
    first, condition = inputs_of(half, classes=classes)
    narrow = net(first, condition)
    wide = net.double()(first.double(), None if condition is None else condition.double())
    assert (narrow.dtype, wide.dtype) == (torch.float32, torch.float64)
    torch.testing.assert_close(narrow.double(), wide, atol=1e-5, rtol=1e-5)


@every_family
@every_half
@with_and_without_condition
def test_under_bf16_autocast_the_output_is_float32_and_close(family, half, classes):
    torch.manual_seed(0)
    net = build(family, half, classes=classes)
    inputs = inputs_of(half, classes=classes)
    exact = net(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = net(*inputs)
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, atol=0.05, rtol=0.05)


@every_family
@every_half
def test_parameters_and_input_in_bf16_give_a_float32_output(family, half):
    net = build(family, half, classes=3).bfloat16()
    assert net(*inputs_of(half, classes=3, dtype=torch.bfloat16)).dtype == torch.float32


@every_family
def test_the_output_is_unbounded(family):
    torch.manual_seed(0)
    for half in HALVES:
        first, _ = inputs_of(half)
        net = build(family, half)
        for parameter in net.parameters():
            parameter.data *= 100
        out = net(first)
        assert out.min() < -5
        assert out.max() > 5


@every_half
@pytest.mark.parametrize("family", ["mlp", "cnn", "resnet", "rnn"])
@pytest.mark.parametrize("widths", [[0], [32, -1]])
def test_a_width_that_is_not_positive_is_refused(family, half, widths):
    net = FAMILIES[family][HALVES.index(half)]
    with pytest.raises(ValueError, match=r"^widths: ") as error:
        net(image_shape=IMAGE, features=LATENT, **FAMILIES[family][2] | {"widths": widths})
    assert str(error.value) == f"widths: expected positive numbers, found {widths}; try [64]"


@every_half
@pytest.mark.parametrize("family", ["cnn", "resnet", "rnn"])
def test_no_widths_are_refused_where_a_layer_is_needed(family, half):
    net = FAMILIES[family][HALVES.index(half)]
    with pytest.raises(ValueError, match=r"^widths: ") as error:
        net(image_shape=IMAGE, features=LATENT, **FAMILIES[family][2] | {"widths": []})
    assert str(error.value) == "widths: expected at least one width, found []; try [64]"
