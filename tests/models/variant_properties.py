"""Properties of every variant, as a class of tests to derive from for each variant."""

from collections.abc import Callable

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from latentlab.functional.losses import weighted_sum
from latentlab.functional.schedules import FINAL_STEP
from latentlab.models.base import Autoencoder
from tests.models.variants import LATENT_DIM, NETS, SHAPE, batch, build, images, share

every_net = pytest.mark.parametrize("net", NETS)


class VariantProperties:
    """make: the variant's class, or a partial with its options: parts, latent_dim -> model."""

    make: Callable[..., Autoencoder]

    def build(self, net: str = "mlp", seed: int = 0) -> Autoencoder:
        return build(type(self).make, net, seed)

    @every_net
    def test_vmap_over_stacked_parameters_gives_the_terms_of_each_model(self, net):
        models = [self.build(net, seed) for seed in range(3)]
        parameters, buffers = stack_module_state(models)

        def terms(parameters, buffers):
            return functional_call(models[0], (parameters, buffers), (batch(),))

        stacked = vmap(terms, randomness="same")(parameters, buffers)
        for i, model in enumerate(models):
            alone = model(batch())
            assert stacked.keys() == alone.keys()
            for name in alone:
                torch.testing.assert_close(stacked[name][i], alone[name], rtol=1e-4, atol=1e-4)

    @every_net
    def test_terms_are_one_finite_value_per_image_and_depend_on_every_parameter(self, net):
        model = self.build(net)
        terms = model(batch())
        assert all(term.shape == (6,) and term.isfinite().all() for term in terms.values())
        weighted_sum([*terms], torch.stack([*terms.values()]), model.weights(0)).sum().backward()
        assert all(parameter.grad is not None for parameter in model.parameters())

    def test_terms_depend_on_parameters_batch_and_random_source_alone(self):
        model = self.build()
        first, second = model(batch()), model(batch())
        assert all(torch.equal(first[name], second[name]) for name in first)

    def test_a_term_is_the_same_for_an_image_on_two_devices_unless_it_depends_on_the_batch(self):
        model = self.build()
        whole, halves = model(batch(7)), [model(share(7, rank, 2)) for rank in range(2)]
        assert model.batch_terms <= whole.keys()
        for name in whole.keys() - model.batch_terms:
            for rank in range(2):
                # a term may be the difference of sums of some hundred nats, which float32 rounds by 2e-5 each
                torch.testing.assert_close(halves[rank][name], whole[name][rank::2], atol=1e-4, rtol=1e-5)

    def test_every_term_has_a_weight_at_every_step(self):
        model = self.build()
        assert model.weights(0).keys() == model.weights(FINAL_STEP).keys() == model(batch()).keys()

    def test_reconstruction_and_generation_have_the_shape_of_the_images(self):
        model = self.build()
        x, y = images()
        assert model.reconstruct(x, y).shape == x.shape
        assert model.encode(x, y).z.shape == (6, LATENT_DIM)
        assert model.decode(torch.zeros(6, LATENT_DIM), y).shape == (6, *SHAPE)

    def test_a_variant_has_both_a_prior_and_a_posterior_or_neither(self):
        model = self.build()
        x, y = images()
        posterior = model.encode(x, y).posterior
        assert (model.prior(y) is None) == (posterior is None)
        if posterior is not None:
            assert torch.equal(model.encode(x, y).z, posterior.mean)
