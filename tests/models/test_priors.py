"""Priors of learned parameters: what they start as, and what they are mixtures of."""

from functools import partial

import pytest
import torch

from latentlab.errors import ConfigError
from latentlab.functional.densities import GaussianMixture, kl_of_units
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.schedules import Constant
from latentlab.models.cvae import CVAE
from latentlab.models.flow_prior import FlowPrior
from latentlab.models.priors import LabelPrior, MixturePrior, Prior, StandardPrior, VampPrior
from latentlab.models.vae import VAE
from tests.models.variants import LATENT_DIM, SHAPE, batch, build, images

_, Y = images()


def test_a_mixture_starts_with_mean_0_and_variance_1():
    prior, encoder = MixturePrior(3, 0, SHAPE, components=500), build("vae").encoder
    z = prior(Y[:1].expand(5_000), encoder).draw(torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(0), torch.zeros(3), atol=0.15, rtol=0)
    torch.testing.assert_close(z.var(0), torch.ones(3), atol=0.15, rtol=0)


def test_the_vampprior_is_the_mean_of_the_posteriors_of_its_pseudo_inputs():
    model, z = build("vae_vampprior"), torch.randn(6, LATENT_DIM)
    posteriors = model.encode(model.code_prior.images()).posterior
    each = torch.stack([DiagonalGaussian(m, v).log_prob(z).exp() for m, v in zip(*posteriors, strict=True)])
    torch.testing.assert_close(model.prior(Y).log_prob(z), each.mean(0).log())


def test_pseudo_inputs_are_images_that_differ():
    found = VampPrior(3, 0, (2, 7, 9), pseudo_inputs=50).images()
    assert found.shape == (50, 2, 7, 9)
    assert ((found > 0) & (found < 1)).all()
    assert (found.std(0) > 0.1).all()
    neighbours = (found[..., 1:] - found[..., :-1]).abs().mean()
    assert neighbours < 0.5 * (found[1:] - found[:-1]).abs().mean()  # smooth, as images are


def test_the_encoder_and_the_pseudo_inputs_learn_from_the_prior():
    model = build("vae_vampprior")
    with torch.no_grad():
        posterior = model.encode(batch().x).posterior
    (-model.prior(Y).log_prob(posterior.mean).sum()).backward()
    assert model.code_prior.logits.grad.abs().sum() > 0
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters())


@pytest.mark.parametrize("variant", ["vae_mixture", "vae_vampprior", "vae_flow"])
def test_training_codes_become_more_probable(variant):
    """The prior's own parameters, with the encoder held fixed, are fitted to its codes."""
    model = build(variant)
    with torch.no_grad():
        z = 3 + 0.1 * torch.randn(6, LATENT_DIM)
    optimizer, found = torch.optim.Adam(model.code_prior.parameters(), lr=0.1), []
    for _ in range(30):
        loss = -model.prior(Y).log_prob(z).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found[-1] < found[0] - 1


@pytest.mark.parametrize("variant", ["vae_mixture", "vae_vampprior", "vae_flow"])
def test_samples_are_decoded_draws_of_it(variant):
    model = build(variant)
    torch.manual_seed(1)
    samples = model.sample(6)
    torch.manual_seed(1)
    torch.testing.assert_close(samples, model.decode(model.prior(Y).draw()))


@pytest.mark.parametrize("make", [StandardPrior, LabelPrior, MixturePrior, VampPrior, FlowPrior])
def test_a_prior_says_whether_the_kl_to_it_has_a_closed_form(make):
    model = build(partial(CVAE if make is LabelPrior else VAE, beta=1.0, kl_schedule=Constant(), prior=make))
    found = kl_of_units(model.encode(*images()).posterior, model.prior(Y))
    assert make.gaussian == (found is not None)


@pytest.mark.parametrize("make", [MixturePrior, VampPrior])
def test_they_are_not_for_a_variant_that_is_conditioned_on_the_label(make):
    with pytest.raises(ValueError, match="prior: expected standard, label or flow with model=cvae"):
        make(3, 10, SHAPE)


def test_a_prior_per_label_needs_labels():
    with pytest.raises(ValueError, match="prior: expected standard, mixture, vampprior or flow, found label"):
        LabelPrior(3, 0, SHAPE)


@pytest.mark.parametrize(
    ("make", "name"),
    [(MixturePrior, "components"), (VampPrior, "pseudo_inputs"), (FlowPrior, "layers"), (FlowPrior, "width")],
)
def test_a_count_is_at_least_one(make, name):
    with pytest.raises(ValueError, match=f"prior.{name}: expected at least 1, found 0"):
        make(3, 0, SHAPE, **{name: 0})


class Forgetful(Prior):
    """Its class says nothing of its density, which is no Gaussian."""

    def forward(self, y, encoder):
        zeros = torch.zeros(2, self.latent_dim)
        return GaussianMixture.equal(DiagonalGaussian(zeros, zeros), len(y))


def test_free_bits_are_refused_where_the_density_has_no_closed_form():
    parts = build("vae").parts
    model = VAE(parts, LATENT_DIM, 1.0, Constant(), free_bits=0.1, prior=Forgetful)
    with pytest.raises(ConfigError, match=r"model\.free_bits: expected 0, as GaussianMixture has no closed form"):
        model(batch())
