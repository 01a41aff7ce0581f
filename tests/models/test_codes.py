import pytest
import torch

from latentlab.models.codes import collect_codes
from tests.models.variants import batch, build
from tests.training.callbacks.short_runs import digits, model_of


@pytest.mark.parametrize("limit", [1, 100, 10_000])
def test_the_first_images_up_to_the_limit_are_encoded(limit):
    data = digits()
    model = model_of("vae", data)
    codes = collect_codes(model, data.val_dataloader(), limit)
    labels = torch.cat([batch.y for batch in data.val_dataloader()])[:limit]
    assert torch.equal(codes.y, labels)
    assert codes.z.shape == codes.kl.shape == (len(labels), 4)


def test_batches_are_joined_in_order():
    data = digits()
    model = model_of("cvae", data)
    (batch,) = data.val_dataloader()
    parts = [batch._replace(x=x, y=y) for x, y in zip(batch.x.split(7), batch.y.split(7), strict=True)]
    whole, joined = (collect_codes(model, batches, 40) for batches in ([batch], parts))
    for expected, found in zip(whole, joined, strict=True):
        assert torch.allclose(expected, found, atol=1e-5)


def test_without_a_posterior_there_is_no_kl():
    data = digits()
    assert collect_codes(model_of("ae", data), data.val_dataloader(), 10).kl is None


def test_a_posterior_whose_kl_has_no_closed_form_has_a_variance_and_no_kl():
    model, images = build("vae_mixture"), batch()
    codes = collect_codes(model, [images])
    torch.testing.assert_close(codes.log_var, model.encode(images.x).posterior.log_var)
    assert codes.kl is None


def test_kl_is_that_of_the_posterior_to_the_prior():
    data = digits()
    model = model_of("vae", data)
    codes = collect_codes(model, data.val_dataloader(), 5)
    (batch,) = data.val_dataloader()
    expected = model.encode(batch.x[:5], batch.y[:5]).posterior.kl_to_standard()
    assert torch.allclose(codes.kl, expected)
