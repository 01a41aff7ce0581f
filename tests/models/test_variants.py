"""Properties of every variant, and of single variants."""

import math
from functools import partial

import pytest
import torch

from latentlab.functional.batch_top_k import BatchTopK, least_positive
from latentlab.functional.distributions import Bernoulli
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.penalties import TopK
from latentlab.functional.schedules import FINAL_STEP, Constant, LinearWarmup
from latentlab.models.sparse_ae import SparseAE
from tests.models.variant_properties import VariantProperties
from tests.models.variants import LATENT_DIM, SHAPE, VARIANTS, batch, build, images


class TestAE(VariantProperties):
    make = VARIANTS["ae"]


class TestSparseL1(VariantProperties):
    make = VARIANTS["sparse_l1"]


class TestSparseKL(VariantProperties):
    make = VARIANTS["sparse_kl"]


class TestSparseTopK(VariantProperties):
    make = VARIANTS["sparse_topk"]


class TestSparseTopKWithAuxiliaryLoss(VariantProperties):
    make = VARIANTS["sparse_auxiliary"]


class TestSparseBatchTopK(VariantProperties):
    make = VARIANTS["sparse_batch_topk"]


class TestSparseJumpReLU(VariantProperties):
    make = VARIANTS["sparse_jumprelu"]


class TestDenoising(VariantProperties):
    make = VARIANTS["denoising"]


class TestVAE(VariantProperties):
    make = VARIANTS["vae"]


class TestCVAE(VariantProperties):
    make = VARIANTS["cvae"]


class TestCVAEWithLabelPrior(VariantProperties):
    make = VARIANTS["cvae_label_prior"]


class TestVAEWithMixture(VariantProperties):
    make = VARIANTS["vae_mixture"]


class TestVAEWithVampPrior(VariantProperties):
    make = VARIANTS["vae_vampprior"]


class TestVAEWithFlow(VariantProperties):
    make = VARIANTS["vae_flow"]


class TestCVAEWithFlow(VariantProperties):
    make = VARIANTS["cvae_flow"]


class TestVAEWithIWAE(VariantProperties):
    make = VARIANTS["vae_iwae"]


class TestVAEWithVampPriorAndDReG(VariantProperties):
    make = VARIANTS["vae_vampprior_dreg"]


class TestCVAEWithDReG(VariantProperties):
    make = VARIANTS["cvae_dreg"]


def test_all_variants_are_tested_for_the_properties_of_the_family():
    tested = [kind.make for kind in VariantProperties.__subclasses__()]
    assert all(make in tested for make in VARIANTS.values())


@pytest.mark.parametrize("variant", ["denoising", "vae", "cvae"])
def test_terms_change_with_the_random_source(variant):
    model, seen = build(variant), batch()
    other = seen._replace(random=batch(seed=1).random)
    assert not torch.equal(model(seen)["reconstruction"], model(other)["reconstruction"])


def test_the_posterior_mean_is_the_code_of_a_variational_model():
    x, y = images()
    for variant in ("vae", "cvae"):
        encoding = build(variant).encode(x, y)
        assert torch.equal(encoding.z, encoding.posterior.mean)


def test_only_variational_models_have_a_prior():
    _, y = images()
    with_prior = {variant for variant in VARIANTS if build(variant).prior(y) is not None}
    assert with_prior == {variant for variant in VARIANTS if "vae" in variant}


def test_encoder_and_decoder_of_the_cvae_depend_on_the_label():
    model = build("cvae")
    x, y = images()
    assert not torch.equal(model.encode(x, y).z, model.encode(x, (y + 1) % 10).z)
    z = torch.zeros(6, LATENT_DIM)
    assert not torch.equal(model.decode_parameters(z, y), model.decode_parameters(z, (y + 1) % 10))


def test_the_label_prior_is_initially_standard_and_has_a_gradient():
    model = build("cvae_label_prior")
    _, y = images()
    assert torch.equal(model.prior(y).mean, torch.zeros(6, LATENT_DIM))
    model(batch())["kl"].sum().backward()
    assert model.label_prior.mean.grad.abs().sum() > 0


@pytest.mark.parametrize("variant", ["vae", "cvae"])
def test_the_weight_of_the_kl_is_beta_times_the_schedule(variant):
    model = build(variant)
    model.kl_term = KLTerm(4.0, LinearWarmup(steps=100), free_bits=0.1)
    table = {0: 0.0, 25: 1.0, 100: 4.0, FINAL_STEP: 4.0}
    for step, weight in table.items():
        assert model.weights(step) == {"reconstruction": 1.0, "kl": weight, "free_bits": weight}


def test_without_free_bits_there_is_no_term_of_them():
    model = build("vae")
    model.kl_term = KLTerm(1.0, Constant())
    assert model(batch()).keys() == model.weights(0).keys() == {"reconstruction", "kl"}


def test_free_bits_raise_the_kl_of_collapsed_units_to_the_given_nats():
    model = build("vae")
    for parameter in model.encoder.parameters():
        torch.nn.init.zeros_(parameter)  # posterior collapse: the posterior equals the prior
    model.kl_term = KLTerm(1.0, Constant(), free_bits=0.25)
    terms = model(batch())
    torch.testing.assert_close(terms["kl"] + terms["free_bits"], torch.full((6,), 0.25 * LATENT_DIM))


def test_the_denoising_model_encodes_a_corrupted_image_and_reconstructs_the_clean_one():
    model = build("denoising")
    seen = batch()
    corrupted = model.corrupt(batch())
    expected = -model.likelihood.log_prob(seen.x, model.decode_parameters(model.encode(corrupted, seen.y).z, seen.y))
    assert not torch.equal(corrupted, seen.x)
    torch.testing.assert_close(model(batch())["reconstruction"], expected)


def test_topk_codes_have_k_active_units():
    x, y = images()
    assert (build("sparse_topk").encode(x, y).z != 0).sum(1).tolist() == [2] * 6


def test_buffers_of_a_penalty_change_in_training_alone():
    penalty = BatchTopK(weight=1.0, k=2, active_above=0.0)
    model = build(partial(SparseAE, penalty=penalty))
    model.eval()(batch())
    assert penalty.batches == 0
    model.train()(batch())
    assert penalty.batches == 1
    assert penalty.threshold == least_positive(model.encode(*images()).z) > 0


def test_the_auxiliary_term_reconstructs_the_image_with_dead_units_in_its_code():
    penalty = TopK(weight=0.0, k=1, active_above=0.0, auxiliary=1 / 32, auxiliary_k=1, dead_after=1)
    model, seen = build(partial(SparseAE, penalty=penalty)), batch()
    for parameter in model.encoder.layers[-1].parameters():
        torch.nn.init.zeros_(parameter)
    model.encoder.layers[-1].bias.data = torch.tensor([3.0, 2.0, 1.0, -1.0])  # the code of each image
    first = model(seen)
    assert torch.equal(first["auxiliary"], first["reconstruction"])  # none is dead yet
    expected = model.reconstruction(seen, torch.tensor([[3.0, 2.0, 0.0, 0.0]]).expand(6, -1))
    torch.testing.assert_close(model(seen)["auxiliary"], expected)
    assert model.weights(0) == {"reconstruction": 1.0, "sparsity": 0.0, "auxiliary": 1 / 32}


def test_a_k_above_the_number_of_units_is_refused(monkeypatch):
    penalty = TopK(weight=1.0, k=LATENT_DIM + 1, active_above=0.0)
    monkeypatch.setitem(VARIANTS, "too_large", partial(SparseAE, penalty=penalty))
    with pytest.raises(ValueError, match=rf"penalty\.k: expected 1 to {LATENT_DIM}.*found 5"):
        build("too_large")


def test_a_cvae_without_labels_is_refused():
    with pytest.raises(ValueError, match="cvae needs labels"):
        build("cvae", num_classes=0)


def test_the_reconstruction_of_a_perfect_decoder_is_the_entropy_of_the_pixels():
    x = torch.full((1, *SHAPE), 0.25)
    logits = torch.full_like(x, math.log(0.25 / 0.75))
    entropy = -64 * (0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert -Bernoulli().log_prob(x, logits).item() == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize(("variant", "times"), [("ae", 1), ("sparse_kl", 1), ("vae", 1), ("cvae", 1), ("denoising", 2)])
def test_validation_encodes_once_where_nothing_is_corrupted(variant, times):
    model, encoded = build(variant), []
    model.encoder.register_forward_hook(lambda *_: encoded.append(1))
    model.validation_step(batch(), 0)
    assert len(encoded) == times
