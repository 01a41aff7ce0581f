"""Losses per image, compared with values computed by hand."""

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.func import vmap
from torch.nn.functional import binary_cross_entropy, mse_loss

from latentlab.functional.distributions import Bernoulli, Gaussian
from latentlab.functional.losses import bce_per_image, mse_per_image, psnr_per_image, stacked, weighted_sum

LOSSES = [mse_per_image, bce_per_image, psnr_per_image]


def images(*rows: list[float]) -> torch.Tensor:
    """One image of one line for each row."""
    return torch.tensor(rows)[:, None, None, :]


def random_images(seed: int, *leading: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(*leading, 3, 2, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_mse_is_the_mean_over_pixels_of_each_image() -> None:
    x, x_hat = images([0.0, 1.0], [0.2, 0.4]), images([0.5, 0.5], [0.2, 0.1])
    torch.testing.assert_close(mse_per_image(x, x_hat), torch.tensor([0.25, 0.045]))


def test_mse_is_that_of_torch() -> None:
    x, x_hat = random_images(0), random_images(1)
    torch.testing.assert_close(mse_per_image(x, x_hat).mean(), mse_loss(x_hat, x))


def test_bce_is_summed_over_pixels_in_nats() -> None:
    x, x_hat = images([1.0, 0.0], [0.25, 0.0]), images([0.5, 0.5], [0.8, 0.0])
    torch.testing.assert_close(bce_per_image(x, x_hat), torch.tensor([2 * math.log(2), 1.262864]))


def test_bce_is_that_of_torch_and_of_the_bernoulli_likelihood() -> None:
    x, logits = random_images(0), 4 * random_images(1) - 2
    expected = binary_cross_entropy(logits.sigmoid(), x, reduction="none").sum((1, 2, 3))
    torch.testing.assert_close(bce_per_image(x, logits.sigmoid()), expected)
    torch.testing.assert_close(bce_per_image(x, logits.sigmoid()), -Bernoulli().log_prob(x, logits))


@pytest.mark.parametrize(
    ("level", "guess", "nats"),
    [
        (1.0, 0.0, 13.815511),
        (0.0, 1.0, 13.815511),
        (1.0, -3.0, 13.815511),
        (0.0, 7.0, 13.815511),
        (1.0, 1.0, 0.0),
    ],
)
def test_bce_of_a_confidently_wrong_pixel_is_finite(level: float, guess: float, nats: float) -> None:
    assert bce_per_image(images([level]), images([guess])).item() == pytest.approx(nats, abs=2e-6)


@pytest.mark.parametrize(
    ("guess", "decibel"), [(0.5, 6.0206), (0.9, 20.0), (0.99, 40.0), (1.0, 100.0), (1.7, 100.0), (-1.0, 0.0)]
)
def test_psnr_has_a_peak_of_one_and_is_at_most_a_hundred(guess: float, decibel: float) -> None:
    assert psnr_per_image(images([1.0]), images([guess])).item() == pytest.approx(decibel, abs=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_right(loss) -> None:
    x = random_images(0, dtype=torch.float64)
    x_hat = (0.1 + 0.8 * random_images(1, dtype=torch.float64)).requires_grad_()
    assert gradcheck(lambda guess: loss(x, guess), (x_hat,))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("guess", [-1e4, 0.0, 1.0, 1e4])
def test_constant_images_have_finite_losses_and_gradients(loss, level: float, guess: float) -> None:
    x, x_hat = torch.full((2, 1, 8, 8), level), torch.full((2, 1, 8, 8), guess).requires_grad_()
    value = loss(x, x_hat)
    (gradient,) = torch.autograd.grad(value.sum(), x_hat)
    assert value.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_half_precision_is_computed_in_float32(loss) -> None:
    x, x_hat = random_images(0), random_images(1).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(x, x_hat), loss(x, x_hat.float()))


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_under_vmap_is_the_loss_of_each(loss) -> None:
    x, x_hat = random_images(0), random_images(1, 5)
    together = vmap(loss, in_dims=(None, 0))(x, x_hat)
    torch.testing.assert_close(together, torch.stack([loss(x, each) for each in x_hat]))


def test_gaussian_of_unit_sigma_is_half_the_squared_error_in_nats() -> None:
    x, x_hat = random_images(0), random_images(1)
    extra = Gaussian().log_prob(x, x) - Gaussian().log_prob(x, x_hat)
    torch.testing.assert_close(extra, 0.5 * 40 * mse_per_image(x, x_hat))


@pytest.mark.parametrize("shape", [(2, 5), (2,)])
def test_the_objective_is_the_weighted_sum_of_the_terms(shape: tuple[int, ...]) -> None:
    """Of each image, or of the sums over the images."""
    terms = torch.rand(shape)
    total = weighted_sum(["reconstruction", "kl"], terms, {"kl": 0.5, "reconstruction": 1})
    torch.testing.assert_close(total, terms[0] + 0.5 * terms[1])


def test_weights_that_a_validation_used_first_can_be_trained_with() -> None:
    """Lightning validates in inference mode, whose tensors are refused in a graph."""
    weights = {"reconstruction": 1.0, "kl": 0.123}
    with torch.inference_mode():
        weighted_sum([*weights], torch.zeros(2), weights)
    terms = torch.ones(2, requires_grad=True)
    weighted_sum([*weights], terms, weights).backward()
    torch.testing.assert_close(terms.grad, torch.tensor([1.0, 0.123]))


@pytest.mark.parametrize("names", [["reconstruction"], ["reconstruction", "kl", "sparsity"], ["reconstruction", "KL"]])
def test_weights_that_are_not_those_of_the_terms_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="expected weights for the terms"):
        weighted_sum(["reconstruction", "kl"], torch.zeros(2, 3), dict.fromkeys(names, 1.0))


def test_a_term_is_one_value_per_image() -> None:
    terms = {"reconstruction": torch.arange(3.0), "kl": torch.ones(3)}
    assert torch.equal(stacked(terms, 3), torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]))
    for wrong in (torch.tensor(1.0), torch.ones(3, 2)):
        with pytest.raises(ValueError, match=r"term kl: expected one value per image, \(3,\), found \("):
            stacked({**terms, "kl": wrong}, 3)
