"""Measurements on two devices with unevenly many rows of the batches, compared with one device."""

import json
from functools import partial

import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing

from latentlab.evaluation.metrics.restoration import restoration
from latentlab.evaluation.metrics.sparsity import sparsity
from latentlab.functional.batch import Batch
from latentlab.functional.corruption import SaltAndPepper
from latentlab.functional.distributions import Bernoulli
from latentlab.functional.randomness import RandomSource, Share
from latentlab.functional.schedules import ConstantRate
from latentlab.models.ae import AE
from latentlab.models.nets.linear import LinearDecoder, LinearEncoder
from latentlab.models.parts import Parts

SHAPE = (1, 8, 8)
BATCHES = (4, 3, 1)  # images; the second device holds 2, 1 and none


def measured(rank: int, world_size: int) -> dict[str, float]:
    torch.manual_seed(0)
    parts = Parts(
        encoder=LinearEncoder(SHAPE, 5, 0),
        decoder=LinearDecoder(5, SHAPE, 0),
        likelihood=Bernoulli(),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        rate=ConstantRate(),
        image_shape=SHAPE,
        num_classes=0,
    )
    model = AE(parts=parts, latent_dim=5)
    x = torch.rand(sum(BATCHES), *SHAPE, generator=torch.Generator().manual_seed(0))

    def loader() -> list[Batch]:
        divided = [rows[rank::world_size] for rows in x.split(BATCHES)]
        sources = [RandomSource(k, share=Share(rows, rank, world_size)) for k, rows in enumerate(BATCHES)]
        return [
            Batch(own, torch.full((len(own),), -1), rows, source)
            for own, rows, source in zip(divided, BATCHES, sources, strict=True)
        ]

    return dict(sparsity(model, loader(), 0.1)) | dict(restoration(model, loader(), SaltAndPepper(0.3)))


def measure_on_a_device(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    with open(f"{folder}/{rank}.json", "w") as file:
        json.dump(measured(rank, 2), file)
    dist.destroy_process_group()


def test_two_devices_measure_what_one_device_measures(tmp_path):
    # forked, so that torch is not imported twice more
    multiprocessing.start_processes(measure_on_a_device, (str(tmp_path),), nprocs=2, start_method="fork")
    one = measured(0, 1)
    assert len(one) == 10
    for rank in range(2):
        # SSIM has a scale of 1 also near zero, where its rounding is that of float32
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == pytest.approx(one, rel=1e-6, abs=1e-7)
