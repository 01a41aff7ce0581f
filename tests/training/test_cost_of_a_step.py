"""What training does besides its arithmetic, in counts: times are too noisy for a test.

An epoch of digits in batches of 10 has 130 steps, in 6 calls.
"""

import ctypes
from collections import Counter

import pytest
import torch
from lightning.pytorch import LightningModule

from latentlab.data.loader import ResidentLoader
from latentlab.models.base import Autoencoder
from latentlab.training.lightning_internals import has_step_hook

pytestmark = pytest.mark.slow  # trainings that are counted

# each hands a value from the device to Python
SYNCHRONISING = ("item", "tolist", "cpu", "numpy", "__float__", "__int__", "__bool__", "__index__", "nonzero")
RUN = (
    "data=digits",
    "data.image_size=8",
    "data.batch_size=10",
    "net.widths=[8]",
    "trainer=cpu",
    "trainer.max_epochs=1",
)
STEPS, CALLS = 130, 6


def counted(monkeypatch, counts: Counter, owner: object, name: str) -> None:
    original = getattr(owner, name)

    def count(*args, **kwargs):
        counts[name] += 1
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, count)


@pytest.fixture
def counts(train, monkeypatch):
    """What a run with everything turned on did between the first batch of its epoch and the last."""
    counts, training = Counter(), Counter()
    for name in SYNCHRONISING:
        counted(monkeypatch, counts, torch.Tensor, name)
    for owner, name in (
        (LightningModule, "log"),
        (LightningModule, "log_dict"),
        (torch.Tensor, "backward"),
        (ResidentLoader, "_batch"),
        (ctypes, "CDLL"),
    ):
        counted(monkeypatch, counts, owner, name)
    step = Autoencoder.training_step

    def training_step(*args):
        before = counts.copy()
        step(*args)
        training.update(counts - before)
        training["calls"] += 1

    monkeypatch.setattr(Autoencoder, "training_step", training_step)
    train(
        *RUN,
        "model=vae",
        "scheduler=cosine",
        "callbacks=default",
        "logger=[tensorboard,csv]",
        "trainer.log_every_n_steps=50",
    )
    return training


def test_every_step_is_taken_and_twenty_five_go_into_a_call(counts):
    assert counts["backward"] == counts["_batch"] + CALLS == STEPS  # a call's first batch is cut before it
    assert counts["calls"] == CALLS


def test_the_device_is_synchronised_once_in_fifty_steps(counts):
    windows = STEPS // 50
    assert sum(counts[name] for name in SYNCHRONISING) <= windows


def test_nothing_goes_through_lightnings_logging_within_an_epoch(counts):
    assert counts["log"] == counts["log_dict"] == 0


def test_no_step_looks_for_a_gpu(counts):
    """With Lightning's `PYTORCH_NVML_BASED_CUDA_CHECK` each step of Adam would load NVIDIA's library."""
    assert counts["CDLL"] == 0


def test_no_shipped_callback_has_a_step_hook(train):
    from hydra import compose, initialize_config_dir
    from hydra.utils import get_class

    from latentlab.config.config_dir import config_dir

    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = compose("train", ["callbacks=projector"])
    for node in config.callbacks.values():
        assert not has_step_hook(get_class(node._target_))
