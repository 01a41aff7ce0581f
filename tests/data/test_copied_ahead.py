"""Images in host memory: the same batches as of images on the device, copied ahead by a thread."""

import threading

import pytest
import torch

from latentlab.data.copied_ahead import AHEAD, copied_ahead, fits
from latentlab.data.images import Images, Splits
from latentlab.data.loader import ResidentLoader
from latentlab.training.restore import load_model, trusted_config

CPU = torch.device("cpu")
RANDOM = torch.Generator().manual_seed(0)
PIXELS = torch.randint(0, 256, (103, 1, 8, 8), dtype=torch.uint8, generator=RANDOM)
IMAGES = Images(PIXELS, torch.randint(0, 10, (103,), generator=RANDOM))


def loader(device=None, **options) -> ResidentLoader:
    return ResidentLoader(IMAGES, batch_size=10, seed=1, stage="train", device=device, **options)


@pytest.mark.parametrize("options", [{}, {"epoch": lambda: 3, "binarize": "dynamic"}, {"rank": 1, "world_size": 3}])
def test_the_batches_are_the_same(options):
    pairs = zip(loader(**options), loader(CPU, **options), strict=True)
    for resident, copied in pairs:
        assert torch.equal(resident.x, copied.x)
        assert torch.equal(resident.y, copied.y)
        assert resident.size == copied.size
        assert torch.equal(resident.random.normal(resident.x), copied.random.normal(copied.x))


def test_a_pass_continues_after_the_batches_that_were_used_not_those_on_their_way():
    stopped = loader(CPU, epoch=lambda: 2)
    passing = iter(stopped)
    for _ in range(4):
        next(passing)
    resumed = loader(CPU, epoch=lambda: 2)
    resumed.load_state_dict(stopped.state_dict())
    assert [batch.y.tolist() for batch in resumed] == [batch.y.tolist() for batch in loader(epoch=lambda: 2)][4:]


def test_a_few_batches_are_on_their_way_and_the_thread_ends_with_the_pass():
    asked = []

    def batches():
        for first in range(0, 100, 10):
            asked.append(first)
            yield torch.arange(first, first + 10)

    passing = copied_ahead(IMAGES, batches(), CPU)
    assert torch.equal(next(passing).labels, IMAGES.labels[:10])
    assert len(asked) == 1 + AHEAD
    passing.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("copy-ahead")]


def test_what_fails_in_the_thread_is_raised_where_the_batch_is_used():
    with pytest.raises(IndexError):
        list(copied_ahead(IMAGES, [torch.tensor([1000])], CPU))


def test_images_of_the_cpu_are_on_it_already():
    assert fits(Splits(IMAGES, IMAGES, IMAGES), CPU)


@pytest.mark.parametrize("model", ["vae", "denoising_ae"])
def test_a_run_has_the_same_metrics_and_weights(train, model):
    setting = ["data=digits", "data.image_size=8", f"model={model}", "trainer.max_epochs=2", "callbacks=no_pictures"]
    on, off = (
        train(*setting, "logger=none", f"trainer.images_on_device={given}", folder=f"{model}_{given}")
        for given in ("null", "false")
    )
    assert on.metrics["metrics"] == off.metrics["metrics"]
    weights = [load_model(run, trusted_config(run)).state_dict() for run in (on, off)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
