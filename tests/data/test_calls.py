"""Several batches per call of the training step: the same batches in the same order for every number of them."""

from collections.abc import Iterator
from itertools import chain, islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data.calls import Calls
from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader
from latentlab.functional.batch import Batch, batches_of


def loader(images: int, batch_size: int = 3) -> ResidentLoader:
    pixels = torch.arange(images, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    held = Images(pixels, torch.arange(images))
    return ResidentLoader(held, batch_size=batch_size, seed=0, stage="train", epoch=lambda: 0)


def labels(batches) -> list[list[int]]:
    return [batch.y.tolist() for batch in batches]


def batches_in(calls: Calls) -> Iterator[Batch]:
    return chain.from_iterable(map(batches_of, calls))


@settings(deadline=None, max_examples=60)
@given(images=st.integers(1, 40), size=st.integers(1, 9), limit=st.none() | st.integers(1, 20), kept=st.booleans())
def test_calls_contain_the_batches_of_the_loader_up_to_the_limit(images, size, limit, kept):
    calls = Calls(loader(images), size, limit, kept)
    each = [labels(batches_of(call)) for call in calls]
    assert list(chain.from_iterable(each)) == labels(islice(loader(images), limit))
    assert len(each) == len(calls)
    assert [len(call) for call in each[:-1]] == [size] * (len(each) - 1)


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 9), done=st.integers(1, 14), limit=st.none() | st.integers(1, 20))
def test_a_pass_continues_after_any_batch(size, done, limit):
    whole = labels(islice(loader(40), limit))
    first, second = Calls(loader(40), size, limit), Calls(loader(40), size, limit)
    before = labels(islice(batches_in(first), done))
    second.load_state_dict(first.state_dict())
    after = labels(batches_in(second)) if done < len(whole) else []
    assert before + after == whole


def test_a_batch_is_created_when_it_is_requested():
    calls = Calls(loader(30), size=5)
    call = next(iter(calls))
    assert calls.state_dict() == {"epoch": 0, "batch": 1}
    next(call), next(call)
    assert calls.state_dict() == {"epoch": 0, "batch": 2}


def test_a_call_of_one_batch_is_the_batch_and_a_kept_one_a_tuple():
    assert all(isinstance(call, Batch) for call in Calls(loader(9), size=1))
    for call in Calls(loader(9), size=2, kept=True):
        assert isinstance(call, tuple)
        assert labels(call) == labels(call)  # twice


@pytest.mark.parametrize("limit", [None, 4])
def test_every_pass_of_an_epoch_is_complete(limit):
    calls = Calls(loader(20), size=3, limit=limit)
    first, second = (labels(batches_in(calls)) for _ in range(2))
    assert first == second
    assert len(first) == calls.batches
