"""The reference classifier, trained on the bundled digits."""

import logging
import threading
from pathlib import Path

import pytest
import torch
from filelock import FileLock

import latentlab.evaluation.reference_classifier
from latentlab.data.loader import to_floats
from latentlab.errors import UserError
from latentlab.evaluation.reference_classifier import load_or_train


@pytest.mark.slow
def test_the_digits_are_classified(reference_classifier, digits):
    predictions = reference_classifier(to_floats(digits.test.pixels))
    assert float((predictions.labels == digits.test.labels).double().mean()) > 0.95
    assert predictions.confident_fraction > 0.7


@pytest.mark.slow
def test_it_is_confident_neither_on_noise_nor_on_blends_of_two_digits(reference_classifier, digits):
    x, y = to_floats(digits.test.pixels), digits.test.labels
    apart = y[:150] != y[150:]
    assert reference_classifier(torch.rand_like(x)).confident_fraction < 0.05
    assert reference_classifier((0.5 * x[:150] + 0.5 * x[150:])[apart]).confident_fraction < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("grey_level", [0.0, 0.01, 0.5, 1.0])
def test_it_is_not_confident_on_an_empty_image(reference_classifier, grey_level):
    assert reference_classifier(torch.full((1, 1, 8, 8), grey_level)).confident_fraction == 0


@pytest.mark.slow
def test_it_is_not_confident_on_what_is_hardly_visible(reference_classifier, digits):
    x = to_floats(digits.test.pixels)
    for nearly_black in (0.02 * x, 0.1 * x, 0.02 * torch.rand_like(x)):
        assert reference_classifier(nearly_black).confident_fraction < 0.05


@pytest.mark.slow
def test_it_is_not_confident_on_a_dot(reference_classifier):
    """At each place of an otherwise black image."""
    dots = torch.eye(64).view(64, 1, 8, 8)
    assert reference_classifier(dots).confident_fraction < 0.05


@pytest.mark.slow
def test_dimming_alone_does_not_lower_its_confidence(reference_classifier, digits):
    x = to_floats(digits.test.pixels)
    assert reference_classifier(0.75 * x).confident_fraction > 0.8 * reference_classifier(x).confident_fraction


@pytest.mark.slow
def test_it_is_trained_once_and_loaded_with_the_same_weights(reference_classifier, digits, outputs, caplog):
    with caplog.at_level(logging.INFO):
        again = load_or_train(digits.train, 10, outputs / "reference_classifiers")
    assert not caplog.records
    x = to_floats(digits.test.pixels)
    assert torch.equal(again(x).features, reference_classifier(x).features)
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.fixture
def few_steps(monkeypatch):
    """A reference classifier of few steps, for tests that do not depend on its accuracy."""
    monkeypatch.setattr("latentlab.evaluation.reference_classifier.STEPS", 10)


@pytest.mark.usefixtures("few_steps")
def test_each_set_of_images_has_its_own_classifier(digits, tmp_path):
    for images in (digits.validation, digits.test, digits.validation):
        load_or_train(images, 10, tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 2


@pytest.mark.usefixtures("few_steps")
def test_one_that_another_version_has_trained_is_not_used(digits, tmp_path, monkeypatch):
    load_or_train(digits.validation, 10, tmp_path)
    here = Path(latentlab.evaluation.reference_classifier.__file__)
    for name in (here.name, "outliers.py"):
        (tmp_path / name).write_text(here.with_name(name).read_text())
    code = [str(tmp_path / name) for name in (here.name, "outliers.py")]
    monkeypatch.setattr("latentlab.evaluation.reference_classifier.CODE", code)
    load_or_train(digits.validation, 10, tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 1  # the place of the code does not matter
    changed = tmp_path / "outliers.py"
    changed.write_text(changed.read_text().replace("FAINT = 0.15", "FAINT = 0.1"))
    load_or_train(digits.validation, 10, tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 2


@pytest.mark.usefixtures("few_steps")
def test_a_damaged_file_is_logged_and_replaced(digits, tmp_path, caplog):
    load_or_train(digits.validation, 10, tmp_path)
    (file,) = tmp_path.glob("*.pt")
    file.write_bytes(file.read_bytes()[:1_000])
    with caplog.at_level(logging.WARNING):
        load_or_train(digits.validation, 10, tmp_path)
    assert "damaged" in caplog.text
    torch.load(file, weights_only=True)


def half_of_it(file: Path) -> object:
    return dict(list(torch.load(file, weights_only=True).items())[:4])


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("foreign", [lambda file: [1], lambda file: {"a": torch.zeros(3)}, lambda file: 3, half_of_it])
def test_a_foreign_file_is_logged_and_replaced_by_what_it_was(digits, tmp_path, caplog, foreign):
    load_or_train(digits.validation, 10, tmp_path)
    (file,) = tmp_path.glob("*.pt")
    before = torch.load(file, weights_only=True)
    torch.save(foreign(file), file)
    load_or_train(digits.validation, 10, tmp_path)
    assert "damaged" in caplog.text
    after = torch.load(file, weights_only=True)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("few_steps")
def test_the_wait_for_another_process_is_logged_and_ends_in_a_line(digits, tmp_path, monkeypatch, caplog):
    load_or_train(digits.validation, 10, tmp_path)
    (lock,) = tmp_path.glob("*.lock")
    monkeypatch.setattr("latentlab.evaluation.trained_once.LOCK_TIMEOUT", 0.2)
    held, caught = FileLock(lock, thread_local=False), []

    def wait() -> None:
        with pytest.raises(UserError, match="another process has been working on") as error:
            load_or_train(digits.validation, 10, tmp_path)
        caught.append(error)

    with held, caplog.at_level(logging.INFO):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(20)
    assert caught
    assert f"the process that holds {lock}" in caplog.text


@pytest.mark.usefixtures("few_steps")
def test_the_random_state_of_the_caller_is_not_changed(digits, tmp_path):
    before = torch.random.get_rng_state()
    load_or_train(digits.validation, 10, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.slow
def test_values_outside_0_and_1_are_clamped_for_the_classifier(reference_classifier, digits):
    x = to_floats(digits.test.pixels)
    assert torch.equal(reference_classifier(3 * x - 1).labels, reference_classifier((3 * x - 1).clamp(0, 1)).labels)
