"""Several batches to a call: the same batches in the same order, whatever their number."""

from itertools import chain, islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data.calls import Calls
from latentlab.data.images import Images
from latentlab.data.loader import ResidentLoader


def loader(images: int, batch_size: int = 3) -> ResidentLoader:
    pixels = torch.arange(images, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    held = Images(pixels, torch.arange(images))
    return ResidentLoader(held, batch_size=batch_size, seed=0, stage="train", epoch=lambda: 0)


def labels(batches) -> list[list[int]]:
    return [batch.y.tolist() for batch in batches]


@settings(deadline=None, max_examples=60)
@given(images=st.integers(1, 40), size=st.integers(1, 9), limit=st.none() | st.integers(1, 20))
def test_calls_hold_the_batches_of_the_loader_up_to_the_limit(images, size, limit):
    calls = Calls(loader(images), size, limit)
    each = [labels(call) for call in calls]
    assert list(chain.from_iterable(each)) == labels(islice(loader(images), limit))
    assert len(each) == len(calls)
    assert [len(call) for call in each[:-1]] == [size] * (len(each) - 1)


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 9), done=st.integers(1, 14), limit=st.none() | st.integers(1, 20))
def test_a_pass_goes_on_after_any_batch(size, done, limit):
    whole = labels(islice(loader(40), limit))
    first, second = Calls(loader(40), size, limit), Calls(loader(40), size, limit)
    before = labels(islice(chain.from_iterable(first), done))
    second.load_state_dict(first.state_dict())
    after = labels(chain.from_iterable(second)) if done < len(whole) else []
    assert before + after == whole


def test_a_batch_is_cut_when_it_is_asked_for():
    calls = Calls(loader(30), size=5)
    call = next(iter(calls))
    assert calls.state_dict() == {"epoch": 0, "batch": 1}
    next(call), next(call)
    assert calls.state_dict() == {"epoch": 0, "batch": 2}


@pytest.mark.parametrize("limit", [None, 4])
def test_every_pass_of_an_epoch_is_whole(limit):
    calls = Calls(loader(20), size=3, limit=limit)
    first, second = (labels(chain.from_iterable(calls)) for _ in range(2))
    assert first == second
    assert len(first) == calls.batches
