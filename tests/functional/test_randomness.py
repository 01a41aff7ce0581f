"""Draws depend on the seed and the position in the data, not on earlier draws or the number of devices."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.functional.randomness import RandomSource, Share, seed_from

each_draw = pytest.mark.parametrize("draw", [RandomSource.normal, RandomSource.uniform], ids=["normal", "uniform"])


def test_seed_is_the_same_in_every_process_and_release() -> None:
    """BLAKE2b of "0/train/1/2", 8 bytes, without the lowest bit."""
    assert seed_from(0, "train", 1, 2) == 9046025153923557338


def test_seeds_of_different_keys_differ() -> None:
    seeds = {
        seed_from(0, "train", 1, 2),
        seed_from(0, "train", 2, 1),
        seed_from(0, "train", 12),
        seed_from(1, "train", 1, 2),
    }
    assert len(seeds) == 4


@settings(deadline=None, max_examples=30)
@given(st.integers(), st.text(max_size=8))
def test_seed_is_accepted_by_a_generator(seed: int, stage: str) -> None:
    assert 0 <= seed_from(seed, stage) < 2**63
    torch.Generator().manual_seed(seed_from(seed, stage))


@each_draw
def test_same_seed_gives_the_same_draws(draw) -> None:
    like = torch.empty(4, 3)
    assert torch.equal(draw(RandomSource(7), like), draw(RandomSource(7), like))


@each_draw
def test_draws_differ_between_seeds_and_from_the_next_draw(draw) -> None:
    like, source = torch.empty(4, 3), RandomSource(7)
    first = draw(source, like)
    assert not torch.equal(first, draw(source, like))
    assert not torch.equal(first, draw(RandomSource(8), like))


@each_draw
def test_draws_do_not_change_the_global_generator(draw) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = draw(RandomSource(7), torch.empty(4))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(draw(RandomSource(7), torch.empty(4)), first)


@each_draw
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_and_dtype_are_those_of_the_argument(draw, dtype: torch.dtype) -> None:
    drawn = draw(RandomSource(7), torch.empty(4, 1, 3, dtype=dtype))
    assert drawn.shape == (4, 1, 3)
    assert drawn.dtype == dtype


@each_draw
@pytest.mark.parametrize("world_size", [2, 3])
@pytest.mark.parametrize("rows", [1, 2, 6, 7, 128, 301])
def test_shares_interleave_to_the_draw_of_one_device(draw, rows: int, world_size: int) -> None:
    """Also for uneven shares, for empty ones (fewer rows than devices), and for a second draw."""
    alone = RandomSource(7)
    sources = [RandomSource(7, share=Share(rows, rank, world_size)) for rank in range(world_size)]
    for width in (5, 3):
        whole = torch.empty(rows, width)
        together = torch.full_like(whole, math.nan)
        for rank, source in enumerate(sources):
            together[rank::world_size] = draw(source, whole[rank::world_size])
        assert torch.equal(together, draw(alone, whole))


@each_draw
def test_share_of_one_device_is_the_whole_draw(draw) -> None:
    like = torch.empty(5, 3)
    assert torch.equal(draw(RandomSource(7, share=Share(5)), like), draw(RandomSource(7), like))


def test_normal_draws_are_standard_normal() -> None:
    drawn = RandomSource(7).normal(torch.empty(100_000, dtype=torch.float64))
    assert drawn.mean().item() == pytest.approx(0, abs=5 / math.sqrt(100_000))
    assert drawn.square().mean().item() == pytest.approx(1, abs=5 * math.sqrt(2 / 100_000))


def test_uniform_draws_fill_the_unit_interval() -> None:
    drawn = RandomSource(7).uniform(torch.empty(100_000, dtype=torch.float64))
    assert 0 <= drawn.min() < 1e-3
    assert 1 - 1e-3 < drawn.max() < 1
    assert drawn.mean().item() == pytest.approx(0.5, abs=5 / math.sqrt(12 * 100_000))
