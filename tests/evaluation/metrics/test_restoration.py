"""PSNR and SSIM of restored images, against closed forms."""

import math
from dataclasses import dataclass
from typing import final

import pytest
import torch
from torch import nn

from latentlab.evaluation.metrics.restoration import restoration, ssim_per_image
from latentlab.functional.batch import Batch
from latentlab.functional.corruption import Corruption, Gaussian
from latentlab.functional.distributions import Gaussian as GaussianLikelihood
from latentlab.functional.randomness import RandomSource
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.nets.base import Decoder, Encoder
from latentlab.models.parts import Parts

SIZE = 12
C1 = 0.01**2  # of SSIM, for a peak of 1


@final
class Flatten(Encoder):
    def forward(self, x, condition=None):
        return x.flatten(1)


@final
class Brighten(Decoder):
    """Reconstructs the images, brighter by `by`."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, z, condition=None):
        side = round(z.shape[1] ** 0.5)
        return z.reshape(-1, 1, side, side) + self.by


@final
@dataclass(frozen=True)
class Darken(Corruption):
    by: float

    def __call__(self, x, random):
        return x - self.by


def model_that_brightens(by, side=SIZE):
    parts = Parts(
        encoder=Flatten(),
        decoder=Brighten(by),
        likelihood=GaussianLikelihood(),
        optimizer=torch.optim.SGD,
        rate=ConstantRate(),
        image_shape=(1, side, side),
        num_classes=0,
    )
    return AE(parts=parts, latent_dim=side**2)


def loader(levels, size=10, side=SIZE):
    """Images with one grey level each."""
    x = torch.tensor(levels).reshape(-1, 1, 1, 1).expand(-1, 1, side, side)
    return [Batch(own, torch.full((len(own),), -1), len(own), RandomSource(3)) for own in x.split(size)]


def measured(by, levels, corruption, **options):
    return dict(restoration(model_that_brightens(by), loader(levels, **options), corruption))


def test_psnr_of_a_shift_by_a_tenth_is_twenty_decibels():
    found = measured(0.09, [0.5, 0.6], Darken(0.1))
    assert found["psnr_mean_clipped_input"] == pytest.approx(20, abs=1e-3)
    assert found["psnr_mean"] == pytest.approx(40, abs=1e-2)  # wrong by a hundredth


def test_ssim_of_flat_images_compares_their_levels_alone():
    found = measured(0.0, [0.5], Darken(0.3))
    assert found["ssim_clipped_input"] == pytest.approx((2 * 0.5 * 0.2 + C1) / (0.5**2 + 0.2**2 + C1), abs=1e-4)


def test_a_perfect_restoration_has_an_ssim_of_one():
    found = measured(0.25, [0.5, 0.75], Darken(0.25))
    assert found["ssim"] == pytest.approx(1, abs=1e-6)
    assert found["psnr_mean"] == found["psnr_of_mean"] == pytest.approx(100)


def test_the_identity_has_the_metrics_of_the_noisy_images():
    found = measured(0.0, [0.2, 0.5, 0.9], Gaussian(0.3))
    for name in ("psnr_mean", "psnr_of_mean", "ssim"):
        assert found[name] == found[f"{name}_clipped_input"]


def test_the_decibels_of_the_mean_error_are_below_the_mean_of_the_decibels():
    """Images darkened by a tenth and, as the darkest is clipped at black, by a hundredth: errors of .01 and .0001."""
    found = measured(0.0, [0.5, 0.01], Darken(0.1))
    assert found["psnr_mean_clipped_input"] == pytest.approx((20 + 40) / 2, abs=1e-3)
    assert found["psnr_of_mean_clipped_input"] == pytest.approx(-10 * math.log10((0.01 + 0.0001) / 2), abs=1e-3)


def test_the_noise_is_the_same_whenever_a_split_is_measured():
    assert measured(0.0, [0.2, 0.5], Gaussian(0.3)) == measured(0.0, [0.2, 0.5], Gaussian(0.3))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_uneven_batches_count_each_image_once(size):
    levels = [0.4, 0.5, 0.9, 0.95]
    expected = measured(0.05, levels, Darken(0.1))
    assert measured(0.05, levels, Darken(0.1), size=size) == pytest.approx(expected)


def test_a_batch_without_rows_changes_nothing():
    batches = loader([0.4, 0.9])
    empty = Batch(batches[0].x[:0], batches[0].y[:0], 1, RandomSource(0))
    model = model_that_brightens(0.05)
    found = dict(restoration(model, [*batches, empty], Darken(0.1)))
    assert found == dict(restoration(model, batches, Darken(0.1)))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 9), (1, 10, 28), (1, 11, 11), (3, 28, 28), (1, 5, 5)])
def test_ssim_is_defined_for_images_of_any_size(shape):
    x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    assert ssim_per_image(x, x).tolist() == pytest.approx([1, 1])
    assert (ssim_per_image(x, 1 - x) < 0.5).all()


def test_ssim_is_one_number_per_image_also_for_a_single_one():
    x = torch.rand(1, 1, 28, 28)
    assert ssim_per_image(x, x).shape == (1,)


def test_small_images_use_a_uniform_window_of_seven_pixels():
    """The formula of Wang et al. 2004, written out over windows of the image and its reflections."""
    generator = torch.Generator().manual_seed(0)
    x, other = torch.rand(2, 1, 1, 8, 8, generator=generator, dtype=torch.float64)
    padded = [nn.functional.pad(image, (3, 3, 3, 3), mode="reflect")[0, 0] for image in (x, other)]
    a, b = (image.unfold(0, 7, 1).unfold(1, 7, 1).flatten(2) for image in padded)
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    covariance = (a * b).mean(-1) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    structure = (2 * covariance + 0.03**2) / (a.var(-1, correction=0) + b.var(-1, correction=0) + 0.03**2)
    assert ssim_per_image(x, other).item() == pytest.approx((luminance * structure).mean().item())
