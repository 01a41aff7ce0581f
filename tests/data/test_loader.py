"""Batches: their images, order and draws."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.functional import pil_to_tensor, to_pil_image, to_tensor

from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader, binarization, to_floats
from latentlab.functional.batch import Batch

sizes = st.integers(1, 40)


def images(count: int, side: int = 3) -> Images:
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (count, 1, side, side), dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.arange(count))


def loader(count: int, batch_size: int = 8, shuffled: bool = True, epoch: int = 0, **options: Any) -> ResidentLoader:
    options = {"seed": 0, "stage": "train"} | options
    which = (lambda: epoch) if shuffled else None
    return ResidentLoader(images(count), batch_size=batch_size, epoch=which, **options)


def order(batches: ResidentLoader) -> list[int]:
    return [y for batch in batches for y in batch.y.tolist()]


def draw(batch: Batch) -> torch.Tensor:
    return batch.random.normal(batch.x)


def test_floats_equal_to_tensor_bit_for_bit() -> None:
    every_byte = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    picture = to_pil_image(every_byte[0])
    assert torch.equal(pil_to_tensor(picture), every_byte[0])
    assert torch.equal(to_floats(every_byte)[0], to_tensor(picture))


@settings(deadline=None, max_examples=30)
@given(sizes, sizes, st.integers(1, 5), st.booleans())
def test_every_image_occurs_once_over_all_devices(n: int, batch_size: int, world: int, shuffled: bool) -> None:
    ranks = [loader(n, batch_size, shuffled, rank=rank, world_size=world) for rank in range(world)]
    assert {len(rank) for rank in ranks} == {-(-n // batch_size)}
    assert sorted(y for rank in ranks for y in order(rank)) == list(range(n))


@settings(deadline=None, max_examples=30)
@given(sizes, sizes, st.integers(2, 5), st.sampled_from([None, "dynamic"]))
def test_the_rows_of_all_devices_interleave_to_the_batch_of_one(
    n: int, batch_size: int, world: int, binarize: Any
) -> None:
    alone = loader(n, batch_size, binarize=binarize)
    ranks = [loader(n, batch_size, binarize=binarize, rank=r, world_size=world) for r in range(world)]
    for whole, *divided in zip(alone, *ranks, strict=True):
        noise = draw(whole)
        for rank, own in enumerate(divided):
            assert own.size == whole.size == len(whole.y)
            assert torch.equal(own.x, whole.x[rank::world])
            assert torch.equal(own.y, whole.y[rank::world])
            assert torch.equal(draw(own), noise[rank::world])


def test_a_device_may_have_no_rows_of_the_last_batch() -> None:
    last = list(loader(9, 8, rank=1, world_size=2))[-1]
    assert last.x.shape == (0, 1, 3, 3)
    assert last.size == 1


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    again = loader(50, batch_size=7, epoch=3, binarize="dynamic", stage="other")
    assert order(loader(50, epoch=3)) == order(again)
    assert len({tuple(order(loader(50, seed=seed, epoch=e))) for seed in (0, 1) for e in (0, 1, 2)}) == 6


def test_the_order_does_not_depend_on_the_global_generator() -> None:
    torch.manual_seed(1)
    first = order(loader(50))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert order(loader(50)) == first
    assert torch.equal(torch.get_rng_state(), state)


def test_draws_differ_between_batches_epochs_seeds_and_stages() -> None:
    passes = [loader(16), loader(16, epoch=1), loader(16, seed=1), loader(16, stage="validation")]
    noises = [draw(batch) for batches in passes for batch in batches]
    assert len(noises) == 8
    assert len({tuple(noise.flatten().tolist()) for noise in noises}) == 8


def test_evaluation_is_in_order_with_the_same_draws_in_every_pass() -> None:
    evaluation = loader(30, shuffled=False, binarize="dynamic")
    first, second = ([(b.x, b.y, draw(b)) for b in evaluation] for _ in range(2))
    assert torch.cat([y for _, y, _ in first]).tolist() == list(range(30))
    for one, other in zip(first, second, strict=True):
        assert all(map(torch.equal, one, other))


def test_the_epoch_is_read_at_the_first_batch_of_a_pass() -> None:
    epoch = [0]
    batches = ResidentLoader(images(50), batch_size=8, seed=0, stage="train", epoch=lambda: epoch[0])
    early = iter(batches)
    epoch[0] = 2
    assert [y for batch in early for y in batch.y.tolist()] == order(loader(50, epoch=2))


def test_a_loaded_state_continues_at_the_next_batch_of_that_epoch() -> None:
    whole = loader(50, epoch=2, binarize="dynamic")
    passing = iter(whole)
    for _ in range(3):
        next(passing)
    resumed = loader(50, epoch=2, binarize="dynamic")
    resumed.load_state_dict(whole.state_dict())
    assert resumed.state_dict() == {"epoch": 2, "batch": 3}
    for one, other in zip(passing, resumed, strict=True):
        assert torch.equal(one.x, other.x)
        assert torch.equal(draw(one), draw(other))
    assert len(list(resumed)) == len(resumed)


def test_a_state_of_another_epoch_starts_the_pass_from_its_beginning() -> None:
    batches = loader(50, epoch=2)
    batches.load_state_dict({"epoch": 1, "batch": 7})
    assert order(batches) == order(loader(50, epoch=2))


def test_threshold_sets_pixels_of_at_least_one_half() -> None:
    x = torch.cat([batch.x for batch in loader(50, shuffled=False, binarize="threshold")])
    assert torch.equal(x, (images(50).pixels >= 128).float())


def test_dynamic_binarisation_draws_zeros_and_ones_with_mean_x() -> None:
    grey = Images(torch.tensor([0, 51, 204, 255], dtype=torch.uint8).expand(4000, 1, 1, 4), torch.zeros(4000).long())
    batches = ResidentLoader(grey, batch_size=500, seed=0, stage="train", binarize="dynamic")
    x = torch.cat([batch.x for batch in batches])
    assert set(x.unique().tolist()) == {0.0, 1.0}
    # Four standard errors of a mean of 4,000 draws are at most 4 * 0.4 / sqrt(4000) = 0.025 here.
    assert x.mean((0, 1, 2)).tolist() == pytest.approx([0.0, 0.2, 0.8, 1.0], abs=0.025)
    assert x.mean((0, 1, 2))[[0, 3]].tolist() == [0.0, 1.0]


def test_dynamic_binarisation_differs_between_the_epochs_of_training() -> None:
    def binary(epoch: int) -> torch.Tensor:
        batches = list(loader(50, epoch=epoch, binarize="dynamic"))
        x, y = torch.cat([batch.x for batch in batches]), torch.cat([batch.y for batch in batches])
        return x[y.argsort()]

    assert not torch.equal(binary(0), binary(1))
    assert torch.equal(binary(0), binary(0))


@pytest.mark.parametrize("value", [None, "dynamic", "threshold"])
def test_known_binarisations_are_accepted(value: str | None) -> None:
    assert binarization(value) == value


@pytest.mark.parametrize("value", ["dynamical", "", True, 0.5])
def test_an_unknown_binarisation_is_named(value: object) -> None:
    with pytest.raises(ValueError, match=r"^binarize: expected null, dynamic or threshold, found "):
        binarization(value)
