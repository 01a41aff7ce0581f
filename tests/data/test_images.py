"""The division of images into splits, and the order of the showcase."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.data.images import Images, classes_in_turn, divide


def numbered(count: int) -> Images:
    labels = torch.arange(count)
    return Images((labels % 256).to(torch.uint8).view(-1, 1, 1, 1), labels)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=4), st.integers(0, 2**31))
def test_every_image_is_in_exactly_one_split(sizes: list[int], split_seed: int) -> None:
    splits = divide(numbered(sum(sizes)), tuple(sizes), split_seed)
    assert [len(images.labels) for images in splits] == sizes
    assert sorted(torch.cat([images.labels for images in splits]).tolist()) == list(range(sum(sizes)))


def test_labels_are_divided_with_their_pixels() -> None:
    for images in divide(numbered(200), (150, 50), split_seed=1):
        assert torch.equal(images.pixels.flatten().long(), images.labels)


def test_the_division_depends_on_the_split_seed_alone() -> None:
    first, second, other = (divide(numbered(100), (80, 20), seed)[1].labels.tolist() for seed in (0, 0, 1))
    assert first == second
    assert first != other


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        ([2, 0, 0, 1, 2, 1], [1, 3, 0, 2, 5, 4]),
        ([0, 0, 0], [0, 1, 2]),
        ([3, 1, 3, 3, 1], [1, 0, 4, 2, 3]),
        ([7], [0]),
    ],
)
def test_classes_are_in_round_robin_order_until_no_image_is_left(labels: list[int], order: list[int]) -> None:
    assert classes_in_turn(torch.tensor(labels)).tolist() == order


def test_unlabelled_images_have_label_minus_one() -> None:
    assert numbered(3).unlabelled().labels.tolist() == [-1, -1, -1]
