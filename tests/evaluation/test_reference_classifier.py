"""The judge is trained for real on the bundled digits."""

import logging

import pytest
import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation.reference_classifier import judge_of


def test_it_knows_the_digits(judge, digits):
    verdict = judge(to_floats(digits.test.pixels))
    assert float((verdict.labels == digits.test.labels).double().mean()) > 0.95
    assert verdict.sure_share > 0.7


def test_it_is_sure_neither_of_noise_nor_of_two_digits_over_each_other(judge, digits):
    x, y = to_floats(digits.test.pixels), digits.test.labels
    apart = y[:150] != y[150:]
    assert judge(torch.rand_like(x)).sure_share < 0.05
    assert judge((0.5 * x[:150] + 0.5 * x[150:])[apart]).sure_share < 0.2


def test_a_soft_image_alone_does_not_make_it_doubt(judge, digits):
    x = to_floats(digits.test.pixels)
    assert judge(0.75 * x).sure_share > 0.8 * judge(x).sure_share


def test_it_is_trained_once_and_read_back_as_it_was(judge, digits, outputs, caplog):
    with caplog.at_level(logging.INFO):
        again = judge_of(digits.train, 10, outputs / "judges")
    assert not caplog.records
    x = to_floats(digits.test.pixels)
    assert torch.equal(again(x).features, judge(x).features)
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.fixture
def hasty(monkeypatch):
    """A judge of few steps, where it does not matter how well it knows the digits."""
    monkeypatch.setattr("latentlab.evaluation.reference_classifier.STEPS", 10)


@pytest.mark.usefixtures("hasty")
def test_other_images_have_another_judge(digits, tmp_path):
    for images in (digits.validation, digits.test, digits.validation):
        judge_of(images, 10, tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 2


@pytest.mark.usefixtures("hasty")
def test_a_damaged_file_is_told_and_replaced(digits, tmp_path, caplog):
    judge_of(digits.validation, 10, tmp_path)
    (file,) = tmp_path.glob("*.pt")
    file.write_bytes(file.read_bytes()[:1_000])
    with caplog.at_level(logging.WARNING):
        judge_of(digits.validation, 10, tmp_path)
    assert "damaged" in caplog.text
    torch.load(file, weights_only=True)


@pytest.mark.usefixtures("hasty")
def test_the_random_state_of_the_caller_stays_as_it_was(digits, tmp_path):
    before = torch.random.get_rng_state()
    judge_of(digits.validation, 10, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_values_outside_of_grey_levels_are_clamped(judge, digits):
    x = to_floats(digits.test.pixels)
    assert torch.equal(judge(3 * x - 1).labels, judge((3 * x - 1).clamp(0, 1)).labels)
