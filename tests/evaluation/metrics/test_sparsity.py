"""Sparsity, on a model whose code is the image."""

import math
from functools import partial

import pytest
import torch

from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.functional.batch import Batch
from latentlab.functional.distributions import Gaussian
from latentlab.functional.randomness import RandomSource
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.nets.linear import LinearDecoder, LinearEncoder
from latentlab.models.parts import Parts

SHAPE = (1, 2, 2)


def pixel_model(decoder_weight=1.0, decoder_bias=0.0):
    """A code that is the image's four pixels, and images that are `weight * code + bias`."""
    parts = Parts(
        encoder=LinearEncoder(SHAPE, 4, 0),
        decoder=LinearDecoder(4, SHAPE, 0),
        likelihood=Gaussian(),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=SHAPE,
        num_classes=0,
    )
    model = AE(parts=parts, latent_dim=4)
    with torch.no_grad():
        for net, weight, bias in ((parts.encoder, 1.0, 0.0), (parts.decoder, decoder_weight, decoder_bias)):
            matrix, offset = net.parameters()
            matrix.copy_(weight * torch.eye(4))
            offset.copy_(torch.as_tensor(bias).expand(4))
    return model


def batches_of(x, size):
    y = torch.full((len(x),), -1)
    chunks = zip(x.split(size), y.split(size), strict=True)
    return [Batch(own, labels, len(labels), RandomSource(0)) for own, labels in chunks]


IMAGES = torch.tensor([[0.1, 0.6, 0.0, 0.2], [0.9, 0.7, 0.0, 0.5], [0.3, 0.8, 0.0, 0.5]]).reshape(3, *SHAPE)


def measured(model, x, size, active_above=0.5):
    return dict(sparsity(model, batches_of(x, size), active_above))


def test_units_are_active_strictly_above_the_threshold():
    found = measured(pixel_model(), IMAGES, 3)
    assert found["active_fraction"] == pytest.approx(4 / 12)  # 0.6, 0.9, 0.7, 0.8; 0.5 is not above 0.5
    assert found["dead_unit_share"] == pytest.approx(2 / 4)


def test_a_perfect_reconstruction_explains_all_variance():
    assert measured(pixel_model(), IMAGES, 3)["variance_explained"] == 1


def test_the_mean_image_explains_none():
    mean_image = pixel_model(0.0, IMAGES.mean(0).flatten())
    assert measured(mean_image, IMAGES, 3)["variance_explained"] == pytest.approx(0, abs=1e-6)


def test_black_images_explain_a_negative_variance():
    x = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, *SHAPE)
    # SSE = 4; SST around the mean image of 0.5 is 8 * 0.25 = 2
    assert measured(pixel_model(0.0), x, 2)["variance_explained"] == pytest.approx(-1)


def test_equal_images_have_no_variance_to_explain():
    found = measured(pixel_model(), torch.full((7, *SHAPE), 0.3), 7)
    assert math.isnan(found["variance_explained"])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_uneven_batches_count_each_image_once(size):
    assert measured(pixel_model(0.5), IMAGES, size) == pytest.approx(measured(pixel_model(0.5), IMAGES, 3))


def test_hoyers_sparseness_is_0_for_equal_units_and_1_for_a_single_one():
    rows = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.0, 0.7, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]])
    alone = [measured(pixel_model(), row.reshape(1, *SHAPE), 1)["hoyer"] for row in rows]
    assert alone == pytest.approx([0, 1, 1, 2 - 2**0.5], abs=1e-6)
    assert measured(pixel_model(), rows.reshape(4, *SHAPE), 2)["hoyer"] == pytest.approx(sum(alone) / 4)
