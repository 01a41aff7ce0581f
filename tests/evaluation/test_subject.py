"""What an evaluation holds of the training images: all, or, where they are too large as floats, one of every few."""

import torch

from latentlab.data.loader import to_floats
from latentlab.evaluation import subject
from tests.evaluation.test_pictures import subject_of


def test_all_training_images_in_order():
    evaluated = subject_of()
    images = evaluated.data.train
    assert torch.equal(evaluated.train_batch.x, to_floats(images.pixels))
    assert torch.equal(evaluated.train_batch.y, images.labels)


def test_one_of_every_few_where_all_are_too_large_and_the_log_says_so(monkeypatch, caplog):
    evaluated = subject_of()
    images = evaluated.data.train
    size = to_floats(images.pixels).nbytes
    monkeypatch.setattr(subject, "host_memory", lambda: 4 * size // 3 + 1)  # a quarter of it holds a third of them
    assert torch.equal(evaluated.train_batch.x, to_floats(images.pixels[::3]))
    assert torch.equal(evaluated.train_batch.y, images.labels[::3])
    count = len(images.labels)
    assert f"of {-(-count // 3):,} of {count:,} training images" in caplog.text
