"""A step on a CUDA device computes what the CPU computes, never waits for the device, and leaves little behind.

Tolerance: a float32 sum of n products of either device is off by about sqrt(n) eps, here up to sqrt(1e5) 1.2e-7 = 4e-5
of the sum of their absolute values.
"""

import copy

import pytest
import torch
from lightning.pytorch import Callback

from latentlab.data.loader import ResidentLoader
from latentlab.functional.batch import Batch
from latentlab.functional.losses import weighted_sum
from latentlab.functional.randomness import RandomSource
from tests.gpu import on_cuda
from tests.models.variants import NETS, VARIANTS, build, images

TOLERANCE = 1e-4

pytestmark = on_cuda


@pytest.fixture(autouse=True)
def without_tf32(monkeypatch):
    """PyTorch allows TF32, of ten bits, for convolutions."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


class DrawnOnTheCPU(RandomSource):
    """The draws of the CPU, whose generator is another one than a GPU's, on any device."""

    def normal(self, like):
        return super().normal(like.cpu()).to(like.device)

    def uniform(self, like):
        return super().uniform(like.cpu()).to(like.device)


def loss_and_gradients(model, device):
    model = copy.deepcopy(model).to(device)
    x, y = (tensor.to(device) for tensor in images(32))
    terms = model(Batch(x, y, 32, DrawnOnTheCPU(0)))
    loss = weighted_sum([*terms], torch.stack([*terms.values()]).sum(1), model.weights(0)) / 32
    loss.backward()
    return loss.detach().cpu(), [parameter.grad.cpu() for parameter in model.parameters()]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_loss_and_gradients_are_those_of_the_cpu(variant, net):
    model = build(variant, net)
    (expected, on_cpu), (found, on_gpu) = (loss_and_gradients(model, device) for device in ("cpu", "cuda"))
    assert (found - expected).abs() <= TOLERANCE * expected.abs()
    largest = max(gradient.norm() for gradient in on_cpu)
    for one, other in zip(on_cpu, on_gpu, strict=True):
        assert (one - other).norm() <= TOLERANCE * largest


def test_batches_come_in_the_order_of_the_cpu(digits):
    loaders = [
        ResidentLoader(digits.train.to(torch.device(d)), batch_size=100, seed=3, stage="train", epoch=lambda: 2)
        for d in ("cpu", "cuda")
    ]
    for one, other in zip(*loaders, strict=True):
        assert torch.equal(one.x, other.x.cpu())
        assert torch.equal(one.y, other.y.cpu())


class NoSynchronisation(Callback):
    """From its third step on, an epoch may not wait for the device: PyTorch raises an error where a call would."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        torch.cuda.set_sync_debug_mode("error" if batch_idx >= 2 else "default")

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        torch.cuda.set_sync_debug_mode("default")


SCHEDULED = ["model=vae", "model/kl_schedule=linear", "scheduler=cosine", "data.binarize=dynamic"]


@pytest.mark.parametrize(
    "model", [["model=ae"], ["model=sparse_ae"], ["model=denoising_ae"], SCHEDULED, ["model=cvae"]]
)
def test_no_step_waits_for_the_device(train, model):
    """Fewer steps than lie between two reads of the running means."""
    node = f"+callbacks.sync._target_={__name__}.NoSynchronisation"
    small = ["data=digits", "data.image_size=8", "data.batch_size=64", "trainer.max_epochs=2", "callbacks=no_pictures"]
    try:
        train(*small, *model, "trainer.accelerator=gpu", "quiet=true", node)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_training_takes_little_memory_of_the_device(train):
    """Parameters, gradients and Adam's means of 784-400-20 are 11 MB, a batch's activations 8 MB, the images 1.4 MB."""
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    train("data=digits", "data.batch_size=512", "trainer.accelerator=gpu", "trainer.max_epochs=2")
    assert torch.cuda.max_memory_allocated() - before < 64 * 2**20
