"""The code that a top-k autoencoder was trained with, beside the denser one that it is evaluated with."""

import pytest
import torch

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.trained_sparsity import codes_of_trained_sparsity, error_of_trained_sparsity
from latentlab.functional.penalties import L1, TopK
from latentlab.models.sparse_ae import SparseAE
from tests.models.variants import batch, build


def sparse(penalty):
    model = build("sparse_l1")
    return SparseAE(model.parts, model.latent_dim, penalty).eval()


def top(k, alpha):
    return TopK(weight=0.0, k=k, active_above=0.0, alpha=alpha)


def test_the_code_keeps_as_many_units_as_in_the_training():
    model = sparse(top(1, alpha=3))
    trained = codes_of_trained_sparsity(model, [batch(20)])
    with torch.no_grad():
        denser = model.encode(batch(20).x).z
        as_trained = model.train().encode(batch(20).x).z
    assert (denser != 0).sum(1).tolist() == [3] * 20
    torch.testing.assert_close(trained.z, as_trained)
    assert torch.equal(trained.y, batch(20).y)


def test_its_error_is_that_of_the_images_decoded_from_it():
    model = sparse(top(1, alpha=3))
    codes = codes_of_trained_sparsity(model, [batch(20)])
    found = dict(error_of_trained_sparsity(model, [batch(20)], codes))
    with torch.no_grad():
        error = float((batch(20).x - model.decode(codes.z)).square().mean())
        denser = float((batch(20).x - model.reconstruct(batch(20).x)).square().mean())
    assert found == {"mse_trained_k": pytest.approx(error, rel=1e-5)}
    assert error != pytest.approx(denser, rel=1e-4)


@pytest.mark.parametrize("penalty", [top(2, alpha=1), L1(weight=0.1, active_above=0.0)])
def test_a_code_that_is_equally_sparse_in_both_is_not_read_twice(penalty):
    with pytest.raises(NotApplicable, match="as many units of a code as in its training"):
        codes_of_trained_sparsity(sparse(penalty), [batch()])
    with pytest.raises(NotApplicable):
        codes_of_trained_sparsity(build("ae"), [batch()])
