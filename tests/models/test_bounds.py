"""Bounds on log p(x), and the gradients of their estimators, on a model whose likelihood is known."""

import math

import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap

from latentlab.functional.densities import kl_at
from latentlab.functional.distributions import DiagonalGaussian
from latentlab.functional.kl_term import KLTerm
from latentlab.functional.randomness import RandomSource
from latentlab.functional.schedules import FINAL_STEP, Constant, LinearWarmup
from latentlab.models.bounds import ELBO, IWAE, DReG, Inference
from tests.functional.test_distributions import is_mean_of
from tests.models.linear_gaussian import X, batch_of, exact, linear_gaussian
from tests.models.variants import batch, build

PLAIN = KLTerm(1.0, Constant())
WEIGHTED = pytest.mark.parametrize("kind", [IWAE, DReG])


def bound_of(model):
    """The bound on each image's log p(x), (B,)."""
    with torch.no_grad():
        return -torch.stack([*model(batch_of(X)).values()]).sum(0)


def draws_of(model, samples, seed=0):
    """The posterior, and the draws of the batch with that seed, (K, B, D)."""
    posterior = model.encode(X).posterior
    noise = RandomSource(seed).normal(posterior.mean.unsqueeze(1).expand(-1, samples, -1))
    return posterior, posterior.sample(noise.transpose(0, 1))


@WEIGHTED
def test_one_draw_gives_the_elbo_by_that_draw(kind):
    model = linear_gaussian(wrong_by=0.4, bound=kind(1, 1))
    posterior, (z,) = draws_of(model, 1)
    elbo = -model.reconstruction(batch_of(X), z) - kl_at(posterior, model.prior(batch_of(X).y), z)
    torch.testing.assert_close(bound_of(model), elbo, atol=1e-4, rtol=1e-5)


@WEIGHTED
def test_the_terms_of_the_elbo_have_its_values(kind):
    model = linear_gaussian(wrong_by=0.4, bound=kind(5, 5))
    posterior, z = draws_of(model, 5)
    terms = model(batch_of(X))
    torch.testing.assert_close(terms["kl"], posterior.kl_to_standard().sum(1))
    each = torch.stack([model.reconstruction(batch_of(X), one) for one in z])
    torch.testing.assert_close(terms["reconstruction"], each.mean(0))


@WEIGHTED
@pytest.mark.parametrize("samples", [1, 7])
def test_with_the_exact_posterior_every_number_of_draws_gives_the_likelihood(kind, samples):
    model = linear_gaussian(bound=kind(samples, samples))
    torch.testing.assert_close(bound_of(model), exact(), atol=1e-4, rtol=1e-5)


@WEIGHTED
def test_the_bound_grows_with_the_draws_to_the_likelihood(kind):
    elbo = linear_gaussian(wrong_by=0.4)
    elbo, *means = (
        float(bound_of(m).mean()) for m in (elbo, *(linear_gaussian(0.4, kind(k, k)) for k in (5, 25, 2000)))
    )
    truth = float(exact().mean())
    assert elbo < means[0] < means[1] < truth + 0.01
    assert means[2] == pytest.approx(truth, abs=0.01)


def test_the_gradient_is_that_of_the_bound():
    model = linear_gaussian(wrong_by=0.4, bound=IWAE(4, 4))
    posterior, z = draws_of(model, 4)
    log_w = -torch.stack([model.reconstruction(batch_of(X), one) for one in z])
    log_w = log_w - kl_at(posterior, model.prior(batch_of(X).y), z)
    expected = torch.autograd.grad(-(log_w.logsumexp(0) - math.log(4)).sum(), [*model.parameters()])
    found = torch.autograd.grad(torch.stack([*model(batch_of(X)).values()]).sum(), [*model.parameters()])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)


def gradients(bound, rows=20_000, seed=0):
    """Of minus the bound on an image by its posterior's mean and log-variance, for many draws, (rows, 4)."""
    model = linear_gaussian(wrong_by=0.4)
    seen = batch_of(X[:1].expand(rows, -1, -1, -1), seed)
    with torch.no_grad():
        parameters = torch.cat(model.encode(seen.x).posterior, 1)
    parameters.requires_grad_()
    of = Inference(seen, DiagonalGaussian(*parameters.chunk(2, 1)), model.prior(seen.y), model.reconstruction)
    terms = bound.terms(of, PLAIN)
    return torch.autograd.grad(torch.stack([*terms.values()]).sum(), parameters)[0]


@pytest.mark.parametrize("samples", [1, 8])
def test_both_estimators_of_the_gradient_have_the_same_mean(samples):
    plain, double = (gradients(kind(samples, samples), seed=seed) for seed, kind in enumerate((IWAE, DReG)))
    difference = plain - double  # of independent draws
    assert is_mean_of(difference, torch.zeros(4))
    assert not is_mean_of(plain, torch.zeros(4))


@WEIGHTED
def test_the_gradient_at_resampled_draws_has_the_mean_of_that_at_all(kind):
    of_all, of_some = (gradients(kind(8, kept), seed=kept) for kept in (8, 2))
    assert is_mean_of(of_all - of_some, torch.zeros(4))
    # one in four draws: less than four times the variance, as those of little weight are left out
    assert (of_some.var(0) < 3 * of_all.var(0)).all()


@WEIGHTED
def test_resampling_changes_no_value(kind):
    terms = [linear_gaussian(wrong_by=0.4, bound=kind(8, kept))(batch_of(X)) for kept in (1, 3, 8, 50)]
    for name, expected in terms[0].items():
        for other in terms[1:]:
            torch.testing.assert_close(other[name], expected)


def test_a_draw_is_kept_as_often_as_its_weight_says_up_to_one():
    v = torch.tensor([[0.1, 0.0, 1.0], [0.6, 0.0, 0.0], [0.3, 1.0, 0.0]])
    for seed in range(20):
        seen = batch_of(X[:3], seed)
        kept = DReG(3, 2)._kept(seen, v)
        for row in range(3):
            times = (kept.rows == row).sum(0)
            assert ((times - 2 * v[row]).abs() < 1).all()
        assert (kept.weights == 0.5).all()


def test_the_doubly_reparameterised_gradient_has_the_smaller_variance():
    plain, double = gradients(IWAE(8, 8)), gradients(DReG(8, 8))
    assert (double.var(0) < 0.5 * plain.var(0)).all()


def test_with_the_exact_posterior_the_doubly_reparameterised_gradient_is_zero_at_every_draw():
    for kind, is_zero in ((DReG, True), (IWAE, False)):
        model = linear_gaussian(bound=kind(3, 3))
        loss = torch.stack([*model(batch_of(X)).values()]).sum(0)
        weight, bias = torch.autograd.grad(loss[0], [*model.encoder.parameters()])
        assert bool(weight.abs().max() < 1e-4 and bias.abs().max() < 1e-4) == is_zero


def test_the_decoder_has_the_same_gradient_by_both_estimators():
    one, other = (linear_gaussian(wrong_by=0.4, bound=kind(3, 3)) for kind in (IWAE, DReG))
    for model in (one, other):
        torch.stack([*model(batch_of(X)).values()]).sum().backward()
    for a, b in zip(one.decoder.parameters(), other.decoder.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("variant", ["vae_iwae", "vae_vampprior_dreg", "cvae_dreg"])
def test_gradients_of_stacked_models_are_those_of_each(variant):
    models = [build(variant, seed=seed) for seed in range(2)]
    parameters, buffers = stack_module_state(models)

    def loss(parameters, buffers):
        return 3 * torch.stack([*functional_call(models[0], (parameters, buffers), (batch(),)).values()]).sum()

    inside = vmap(grad(loss), randomness="same")({n: p.detach() for n, p in parameters.items()}, buffers)
    vmap(loss, randomness="same")(parameters, buffers).sum().backward()
    for row, model in enumerate(models):
        (3 * torch.stack([*model(batch()).values()]).sum()).backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(inside[name][row], parameter.grad, atol=1e-3, rtol=1e-3)
            torch.testing.assert_close(parameters[name].grad[row], parameter.grad, atol=1e-3, rtol=1e-3)


def test_images_of_no_weight_have_no_gradient():
    model = linear_gaussian(wrong_by=0.4, bound=DReG(3, 3))
    loss = (torch.stack([*model(batch_of(X)).values()]).sum(0) * torch.zeros(len(X))).sum()
    assert all(bool((g == 0).all()) for g in torch.autograd.grad(loss, [*model.parameters()]))


@WEIGHTED
def test_a_schedule_weighs_the_kl_alone(kind):
    term = KLTerm(1.0, LinearWarmup(steps=10))
    assert kind(2, 2).weights(term, 5) == {"reconstruction": 1.0, "kl": 0.5, "tightening": 1.0}
    assert set(kind(2, 2).weights(term, FINAL_STEP).values()) == {1.0}


@WEIGHTED
@pytest.mark.parametrize(("option", "value"), [("free_bits", 0.5), ("beta", 4.0)])
def test_options_that_are_none_of_the_bound_are_refused(kind, option, value):
    term = KLTerm(**{"beta": 1.0, "schedule": Constant(), option: value})
    with pytest.raises(ValueError, match=f"{option}: expected . with an importance-weighted bound, found {value}"):
        kind(2, 2).check(term, closed_form=True)


def test_free_bits_need_a_kl_of_each_unit():
    term = KLTerm(1.0, Constant(), free_bits=0.5)
    ELBO().check(term, closed_form=True)
    with pytest.raises(ValueError, match="free_bits: expected 0 with a prior"):
        ELBO().check(term, closed_form=False)


@WEIGHTED
def test_a_draw_is_needed(kind):
    with pytest.raises(ValueError, match="samples: expected at least 1 draw per image, found 0"):
        kind(0, 0)
