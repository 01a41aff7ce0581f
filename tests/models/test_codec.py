"""What every trained model can be asked for."""

import numpy as np
import pytest
import torch

from tests.models.variants import LATENT_DIM, NETS, SHAPE, VARIANTS, batch, build, images

X, Y = images()
Z = torch.zeros(6, LATENT_DIM)


@pytest.mark.parametrize("variant", ["ae", "sparse_l1", "denoising", "vae"])
def test_labels_are_needless_where_the_variant_is_not_conditional(variant):
    model = build(variant)
    assert torch.equal(model.encode(X).z, model.encode(X, Y).z)
    assert torch.equal(model.reconstruct(X), model.reconstruct(X, Y))


@pytest.mark.parametrize("ask", [lambda m: m.encode(X), lambda m: m.reconstruct(X), lambda m: m.sample(3)])
def test_a_conditional_variant_says_that_labels_are_missing(ask):
    with pytest.raises(ValueError, match=r"label: expected a label in 0\.\.9 for each image, .* found none"):
        ask(build("cvae"))


@pytest.mark.parametrize("label", [-1, 10])
def test_a_number_that_is_no_class_is_refused(label):
    with pytest.raises(ValueError, match=f"found {label}"):
        build("cvae").sample(2, label=label)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "ask",
    [
        *(lambda m, y: m.encode(X, y), lambda m, y: m.decode(Z, y), lambda m, y: m.reconstruct(X, y)),
        *(lambda m, y: m.interpolate(X, X, y=y), lambda m, y: m.prior(y)),
    ],
)
@pytest.mark.parametrize(
    ("label", "found"),
    [
        (torch.tensor([3, 10, 0, 0, 0, 0]), "0 to 10"),
        (torch.tensor([3, -1, 0, 0, 0, 0]), "-1 to 3"),
        (Y.float(), r"float32 of the shape \(6,\)"),
        (Y.unsqueeze(1), r"int64 of the shape \(6, 1\)"),
    ],
)
def test_labels_that_are_no_classes_are_refused(ask, label, found):
    with pytest.raises(ValueError, match=f"label: .* found {found}"):
        ask(build("cvae"), label)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(6, 1, 9, 9), (6, 1, 8, 9), (6, 64), (1, 8, 8), (6, 3, 8, 8)])
def test_images_of_another_shape_are_refused(variant, shape):
    model, x = build(variant, "rnn"), torch.zeros(shape)
    for ask in (model.encode, model.reconstruct):
        with pytest.raises(ValueError, match=r"x: expected a batch of images, \(B, 1, 8, 8\), found ") as error:
            ask(x, 3)
        assert str(error.value).endswith(f"found {shape}")


def test_a_training_step_looks_at_no_label(monkeypatch):
    model, looked = build("cvae_label_prior"), []
    monkeypatch.setattr(type(model), "known_labels", lambda *_: looked.append(1))
    model(batch())
    model.validation_step(batch(), 0)
    assert not looked


@pytest.mark.parametrize("given", [X, (X, Y), {"image": X}])
def test_the_model_itself_takes_batches_of_a_step_and_names_the_methods_for_images(given):
    with pytest.raises(ValueError, match=r"forward: expected a Batch of a step; .*model\.reconstruct\(x\).*, found "):
        build("vae")(given)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_of_half_precision_takes_images_of_any_float_type_and_returns_float32(variant, net, dtype):
    model = build(variant, net)
    expected = model.reconstruct(X, Y)
    model.to(dtype)
    for x in (X, X.to(dtype)):
        found = model.reconstruct(x, Y)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, rtol=0, atol=0.05)
        z = model.encode(x, Y).z
        assert z.dtype == torch.float32
        torch.testing.assert_close(model.decode(z.to(dtype), Y), found, rtol=0, atol=0.02)
        assert model.interpolate(x[:2], x[2:4], steps=3, y=1).dtype == torch.float32
    if model.prior(Y) is not None:
        assert model.sample(3, label=2).isfinite().all()


def test_one_label_for_all_images_is_that_label_for_each():
    model, z = build("cvae"), torch.randn(6, LATENT_DIM)
    assert torch.equal(model.decode(z, 3), model.decode(z, torch.full((6,), 3)))


def test_a_decoded_image_is_the_expectation_of_the_likelihood():
    model, z = build("vae"), torch.randn(6, LATENT_DIM)
    torch.testing.assert_close(model.decode(z), torch.sigmoid(model.decoder(z)))


def test_samples_are_decoded_draws_from_the_prior():
    model = build("vae")
    torch.manual_seed(1)
    samples = model.sample(4)
    torch.manual_seed(1)
    torch.testing.assert_close(samples, model.decode(torch.randn(4, LATENT_DIM)))
    assert not samples.requires_grad


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("count", [0, -1, 2.0, True, "3", torch.tensor([1, 2])])
def test_a_number_of_samples_is_a_whole_number_of_at_least_one(count):
    with pytest.raises(ValueError, match="count: expected a whole number of at least 1, found"):
        build("vae").sample(count)
    assert len(build("vae").sample(np.int64(2))) == 2


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("ask", [lambda m: m.encode(X.numpy()), lambda m: m.interpolate(X.numpy(), X.numpy())])
def test_images_and_codes_are_tensors(ask):
    with pytest.raises(ValueError, match=r"x: expected a tensor of images, found ndarray; torch\.as_tensor makes one"):
        ask(build("vae"))
    with pytest.raises(ValueError, match="z: expected a tensor of codes, found a list of 2"):
        build("vae").decode([0.0, 1.0])


def test_a_variant_without_a_prior_says_so():
    with pytest.raises(ValueError, match=r"AE has no prior to draw codes from; .*model\.decode\(torch\.randn\(16, "):
        build("ae").sample(16)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_an_interpolation_begins_and_ends_at_the_reconstructions(path):
    model = build("vae")
    images = model.interpolate(X[0], X[1], steps=5, path=path)
    assert images.shape == (5, *SHAPE)
    torch.testing.assert_close(images[[0, 4]], model.reconstruct(X[:2]))
    pairs = model.interpolate(X[:2], X[2:4], steps=5, path=path)
    assert pairs.shape == (2, 5, *SHAPE)
    torch.testing.assert_close(pairs[:, 0], model.reconstruct(X[:2]))


def test_the_middle_of_a_linear_interpolation_is_the_mean_code():
    model = build("cvae")
    z = model.encode(X[:2], 4).z.mean(0, keepdim=True)
    torch.testing.assert_close(model.interpolate(X[0], X[1], steps=3, y=4)[1], model.decode(z, 4)[0])


@pytest.mark.parametrize(("options", "message"), [({"steps": 1}, "at least 2"), ({"path": "wild"}, "linear or spheri")])
def test_other_paths_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build("vae").interpolate(X[0], X[1], **options)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_an_interpolation_of_a_model_of_double_precision(path):
    images = build("vae").double().interpolate(X[0].double(), X[1].double(), steps=3, path=path)
    assert images.dtype == torch.float64


@pytest.mark.usefixtures("unchecked")
def test_a_label_may_be_one_number_of_numpy():
    model = build("cvae")
    assert torch.equal(model.decode(Z, np.int64(3)), model.decode(Z, 3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: m.reconstruct(X[0]), r"x: expected a batch of images, \(B, 1, 8, 8\), found \(1, 8, 8\)"),
        (lambda m: m.reconstruct((X * 255).byte()), r"x: expected images of floats in \[0, 1\], found torch\.uint8"),
        (lambda m: m.encode(X > 0.5), r"x: expected images of floats in \[0, 1\], found torch\.bool"),
        (lambda m: m.decode(torch.zeros(3, 99)), r"z: expected a batch of codes, \(B, \d+\), found \(3, 99\)"),
        (lambda m: m.decode(torch.zeros(m.latent_dim)), r"z: expected a batch of codes, \(B, (\d+)\), found \(\1,\)"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_other_images_and_codes_are_named(wrong, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        wrong(build("vae"))
