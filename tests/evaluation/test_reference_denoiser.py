"""The reference denoiser, trained on the bundled digits."""

import logging

import pytest
import torch

from latentlab.data.images import Images
from latentlab.data.loader import to_floats
from latentlab.evaluation.reference_denoiser import ReferenceDenoiser, load_or_train
from latentlab.functional.corruption import Gaussian, Masking
from latentlab.functional.losses import psnr_per_image
from latentlab.functional.randomness import RandomSource

NOISE = Gaussian(0.3)


@pytest.fixture
def few_steps(monkeypatch):
    """A denoiser of few steps, for tests that do not depend on how well it restores."""
    monkeypatch.setattr("latentlab.evaluation.reference_denoiser.STEPS", 2)


def weights(denoiser):
    return torch.cat([parameter.flatten() for parameter in denoiser.parameters()])


def test_it_restores_what_the_noise_leaves_of_the_digits(digits, tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.evaluation.reference_denoiser.STEPS", 60)
    denoiser, x = load_or_train(digits.train, None, NOISE, tmp_path), to_floats(digits.test.pixels)
    noisy = NOISE(x, RandomSource(1))
    mean_image = to_floats(digits.train.pixels).mean(0, keepdim=True).expand_as(x)
    restored = float(psnr_per_image(x, denoiser.reconstruct(noisy)).mean())
    assert restored > float(psnr_per_image(x, noisy).mean()) + 2
    assert restored > float(psnr_per_image(x, mean_image).mean()) + 2


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (2, 33, 64)])
def test_every_size_is_restored_exactly(shape):
    x = torch.rand(2, *shape)
    restored = ReferenceDenoiser(shape).reconstruct(x)
    assert restored.shape == x.shape
    assert restored.min() >= 0
    assert restored.max() <= 1


@pytest.mark.usefixtures("few_steps")
def test_it_is_trained_once_and_loaded_with_the_same_weights(digits, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        first = load_or_train(digits.validation, None, NOISE, tmp_path)
        assert f"training the reference denoiser once; it is kept in {tmp_path}" in caplog.text
        caplog.clear()
        again = load_or_train(digits.validation, None, NOISE, tmp_path)
    assert not caplog.records
    assert torch.equal(weights(first), weights(again))
    assert not first.training
    assert not any(parameter.requires_grad for parameter in first.parameters())


@pytest.mark.usefixtures("few_steps")
def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(digits, tmp_path):
    first = load_or_train(digits.validation, None, NOISE, tmp_path / "a")
    torch.manual_seed(5)
    again = load_or_train(digits.validation, None, NOISE, tmp_path / "b")
    torch.testing.assert_close(weights(first), weights(again))
    names = [[file.name for file in (tmp_path / folder).glob("*.pt")] for folder in ("a", "b")]
    assert names[0] == names[1]


@pytest.mark.usefixtures("few_steps")
def test_each_set_of_images_binarisation_and_corruption_has_its_own(digits, tmp_path):
    for images in (digits.validation, digits.test):
        for binarize, corruption in ((None, NOISE), ("dynamic", NOISE), (None, Gaussian(0.31)), (None, Masking(0.3))):
            for _ in range(2):
                load_or_train(images, binarize, corruption, tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 8


@pytest.mark.usefixtures("few_steps")
def test_large_images_are_trained_on_in_smaller_batches(digits, tmp_path):
    seen = []

    class Watched(Gaussian):
        def __call__(self, x, random):
            seen.append(tuple(x.shape))
            return super().__call__(x, random)

    pixels = digits.validation.pixels.repeat_interleave(7, 2).repeat_interleave(7, 3)
    load_or_train(Images(pixels, digits.validation.labels), None, Watched(0.3), tmp_path)
    load_or_train(digits.validation, None, Watched(0.3), tmp_path)
    assert {side: max(rows for rows, _, _, width in seen if width == side) for side in (56, 8)} == {56: 32, 8: 128}
