"""What holds for every variant."""

import math
from functools import partial

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from latentlab.errors import ConfigError
from latentlab.functional.distributions import Bernoulli
from latentlab.functional.losses import weighted_total
from latentlab.functional.penalties import TopK
from latentlab.functional.schedules import LinearWarmup
from latentlab.models.sparse_ae import SparseAE
from tests.models.variants import LATENT_DIM, NETS, SHAPE, VARIANTS, batch, build, images, share

every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_net = pytest.mark.parametrize("net", NETS)


@every_variant
@every_net
def test_vmap_over_stacked_parameters_gives_the_terms_of_each_model(variant, net):
    models = [build(variant, net, seed) for seed in range(3)]
    parameters, buffers = stack_module_state(models)

    def terms(parameters, buffers):
        return functional_call(models[0], (parameters, buffers), (batch(),))

    stacked = vmap(terms, randomness="same")(parameters, buffers)
    for i, model in enumerate(models):
        alone = model(batch())
        assert stacked.keys() == alone.keys()
        for name in alone:
            torch.testing.assert_close(stacked[name][i], alone[name], rtol=1e-4, atol=1e-4)


@every_variant
@every_net
def test_terms_hold_one_finite_number_an_image_and_reach_every_parameter(variant, net):
    model = build(variant, net)
    terms = model(batch())
    assert all(term.shape == (6,) and term.isfinite().all() for term in terms.values())
    weighted_total(terms, model.weights(0)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@every_variant
def test_terms_depend_on_parameters_batch_and_random_source_alone(variant):
    model = build(variant)
    first, second = model(batch()), model(batch())
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("variant", ["denoising", "vae", "cvae"])
def test_another_random_source_gives_other_terms(variant):
    model, seen = build(variant), batch()
    other = seen._replace(random=batch(seed=1).random)
    assert not torch.equal(model(seen)["reconstruction"], model(other)["reconstruction"])


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v not in ("sparse_kl", "sparse_topk")])
def test_terms_without_a_batch_mean_are_the_same_for_an_image_on_two_devices(variant):
    model = build(variant)
    whole, halves = model(batch(7)), [model(share(7, rank, 2)) for rank in range(2)]
    for name in whole.keys() - {"free_bits"}:
        for rank in range(2):
            torch.testing.assert_close(halves[rank][name], whole[name][rank::2])


@every_variant
def test_every_term_has_a_weight_at_every_step(variant):
    model = build(variant)
    assert model.weights(0).keys() == model.weights(None).keys() == model(batch()).keys()


@every_variant
def test_reconstruction_and_generation_have_the_shape_of_the_images(variant):
    model = build(variant)
    x, y = images()
    assert model.reconstruct(x, y).shape == x.shape
    assert model.encode(x, y).z.shape == (6, LATENT_DIM)
    assert model.generate(torch.zeros(6, LATENT_DIM), y).shape == (6, *SHAPE)


def test_the_posterior_mean_is_the_code_of_a_variational_model():
    x, y = images()
    for variant in ("vae", "cvae"):
        encoding = build(variant).encode(x, y)
        assert torch.equal(encoding.z, encoding.posterior.mean)


def test_only_variational_models_have_a_prior():
    _, y = images()
    with_prior = {variant for variant in VARIANTS if build(variant).prior(y) is not None}
    assert with_prior == {"vae", "cvae", "cvae_label_prior"}


def test_the_label_reaches_encoder_and_decoder_of_the_cvae():
    model = build("cvae")
    x, y = images()
    assert not torch.equal(model.encode(x, y).z, model.encode(x, (y + 1) % 10).z)
    z = torch.zeros(6, LATENT_DIM)
    assert not torch.equal(model.decode(z, y), model.decode(z, (y + 1) % 10))


def test_the_label_prior_starts_as_the_standard_one_and_learns():
    model = build("cvae_label_prior")
    _, y = images()
    assert torch.equal(model.prior(y).mean, torch.zeros(6, LATENT_DIM))
    model(batch())["kl"].sum().backward()
    assert model.label_prior.mean.grad.abs().sum() > 0


def test_beta_and_the_schedule_weigh_the_kl():
    model = build("vae")
    model.beta, model.kl_schedule = 4.0, LinearWarmup(steps=100)
    table = {0: 0.0, 25: 1.0, 100: 4.0, None: 4.0}
    for step, weight in table.items():
        assert model.weights(step) == {"reconstruction": 1.0, "kl": weight, "free_bits": weight}


def test_free_bits_lift_the_kl_of_idle_units_to_the_given_nats():
    model = build("vae")
    for parameter in model.encoder.parameters():
        torch.nn.init.zeros_(parameter)  # the posterior is the prior: no unit says anything
    model.free_bits = 0.25
    terms = model(batch())
    torch.testing.assert_close(terms["kl"] + terms["free_bits"], torch.full((6,), 0.25 * LATENT_DIM))


def test_the_denoising_model_sees_damage_and_is_judged_on_the_clean_image():
    model = build("denoising")
    seen = batch()
    damaged = model.corrupt(batch())
    expected = -model.likelihood.log_prob(seen.x, model.decode(model.encode(damaged, seen.y).z, seen.y))
    assert not torch.equal(damaged, seen.x)
    torch.testing.assert_close(model(batch())["reconstruction"], expected)


def test_topk_codes_have_k_active_units():
    x, y = images()
    assert (build("sparse_topk").encode(x, y).z != 0).sum(1).tolist() == [2] * 6


def test_a_k_above_the_code_is_refused(monkeypatch):
    penalty = TopK(weight=1.0, k=LATENT_DIM + 1, active_above=0.0)
    monkeypatch.setitem(VARIANTS, "too_large", partial(SparseAE, penalty=penalty))
    with pytest.raises(ConfigError, match=rf"model\.penalty\.k: expected 1 to {LATENT_DIM}.*found 5"):
        build("too_large")


def test_a_cvae_without_labels_is_refused():
    with pytest.raises(ConfigError, match="cvae needs labels"):
        build("cvae", num_classes=0)


def test_the_reconstruction_of_a_perfect_decoder_is_the_entropy_of_the_pixels():
    x = torch.full((1, *SHAPE), 0.25)
    logits = torch.full_like(x, math.log(0.25 / 0.75))
    entropy = -64 * (0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert -Bernoulli().log_prob(x, logits).item() == pytest.approx(entropy, rel=1e-6)
