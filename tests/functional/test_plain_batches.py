"""The batches of a plain DataLoader."""

import pytest
import torch

from latentlab.functional.batch import Batch
from latentlab.functional.plain_batches import as_batch, refuse_unfit
from latentlab.functional.randomness import RandomSource

X = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 2, 0, 1])


@pytest.mark.parametrize("given", [X, (X,), [X], {"image": X}])
def test_images_without_labels_have_the_label_minus_one(given):
    batch = as_batch(given)
    assert torch.equal(batch.x, X)
    assert batch.y.tolist() == [-1] * 5
    assert batch.size == 5


@pytest.mark.parametrize("given", [(X, Y), [X, Y.int()], {"image": X, "label": Y, "path": ["a"] * 5}])
def test_images_with_labels(given):
    batch = as_batch(given)
    assert torch.equal(batch.x, X)
    assert torch.equal(batch.y, Y)


def test_a_batch_of_a_run_is_the_batch_itself():
    batch = Batch(X, Y, 5, RandomSource(0))
    assert as_batch(batch) is batch


def test_its_draws_are_those_of_the_global_generator():
    torch.manual_seed(3)
    drawn = as_batch(X).random.normal(X)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.randn_like(X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((X, Y, Y), 'expected images x, (x,), (x, y) or {"image": x, "label": y}, found a tuple of 3'),
        ({"x": X}, "found a mapping with the keys x"),
        ("text", "found str"),
        ((X * 255).byte(), "expected images x as floats (B, C, H, W) in [0, 1], found uint8 of the shape (5, 1, 8, 8)"),
        (X[:, 0], "found float32 of the shape (5, 8, 8)"),
        ((X, Y[:3]), "expected labels y as 5 whole numbers (B,), found int64 of the shape (3,)"),
        ((X, Y.float()), "found float32 of the shape (5,)"),
        ((X, ["a"] * 5), "found a list of 5"),
    ],
)
def test_other_batches_are_refused(given, message):
    with pytest.raises(ValueError, match="batch: ") as error:
        as_batch(given)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("given", "classes", "message"),
    [
        (X[:, :, :6].clone(), 0, "expected images of the shape (1, 8, 8), as the model takes, found (1, 6, 8)"),
        (X * 255, 0, "expected images in [0, 1], found 0"),
        (X - 0.5, 0, "scale them, and leave normalisation out"),
        (X.clone().index_fill_(0, torch.tensor([1]), float("nan")), 0, "expected images in [0, 1], found nan"),
        (X, 3, "expected labels in 0..2, as the model is conditional, found none"),
        ((X, Y + 1), 3, "found 1 to 3"),
    ],
)
def test_images_and_labels_that_a_model_cannot_take_are_refused(given, classes, message):
    with pytest.raises(ValueError, match="batch: ") as error:
        refuse_unfit(as_batch(given), (1, 8, 8), classes)
    assert message in str(error.value)


def test_images_and_labels_that_fit_are_taken():
    refuse_unfit(as_batch((X, Y)), (1, 8, 8), 3)
    refuse_unfit(as_batch((X, Y + 100)), (1, 8, 8), 0)  # which does not read them
