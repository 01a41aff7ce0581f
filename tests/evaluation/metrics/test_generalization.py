"""The generalization gap, on models with known errors."""

import pytest
import torch

from latentlab.evaluation.metrics.generalization import generalization
from latentlab.evaluation.metrics.reconstruction import reconstruction_errors
from tests.evaluation.metrics.test_sparsity import batches_of, pixel_model


def errors(model, x):
    return reconstruction_errors(model, ((batch.x, batch.y) for batch in batches_of(x, 7)))


def test_the_gap_is_the_additional_error_of_the_test_images():
    always_grey = pixel_model(decoder_weight=0.0, decoder_bias=0.5)
    train, test = torch.full((30, 1, 2, 2), 0.6), torch.full((20, 1, 2, 2), 0.8)
    found = dict(generalization(always_grey, batches_of(train, 8), torch.zeros(30, 4), errors(always_grey, test)))
    assert found == pytest.approx({"mse_train": 0.01, "mse_generalization_gap": 0.08})


def test_the_codes_are_those_of_their_images():
    exact = pixel_model()
    x = torch.rand(30, 1, 2, 2)
    z = exact.encode(x, torch.zeros(30, dtype=torch.int64)).z
    test_errors = errors(exact, x)
    found = dict(generalization(exact, batches_of(x, 8), z, test_errors))
    assert found["mse_generalization_gap"] == pytest.approx(0, abs=1e-9)
    assert dict(generalization(exact, batches_of(x, 8), z.flip(0), test_errors))["mse_train"] > 0.01
