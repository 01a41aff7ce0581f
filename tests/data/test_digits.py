"""The bundled digits, and properties of every datamodule, tested on them."""

import pytest
import torch
from sklearn.datasets import load_digits

from latentlab.data.digits import DigitsDataModule
from latentlab.data.loader import ResidentLoader
from latentlab.functional.batch import Batch


def digits(**options: object) -> DigitsDataModule:
    data = DigitsDataModule(**{"image_size": 8} | options)  # type: ignore[arg-type]
    data.prepare_data()
    data.setup()
    return data


def stacked(batches: ResidentLoader) -> tuple[torch.Tensor, torch.Tensor]:
    kept = list(batches)
    return torch.cat([batch.x for batch in kept]), torch.cat([batch.y for batch in kept])


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.x, other.x) and torch.equal(one.y, other.y)


def test_all_digits_are_loaded_with_their_seventeen_grey_levels() -> None:
    data = digits()
    splits = [data.train, data.validation, data.test]
    assert [len(images.labels) for images in splits] == [1297, 200, 300]
    found = sorted(map(tuple, torch.cat([images.pixels for images in splits]).flatten(1).tolist()))
    bundled = (torch.from_numpy(load_digits().images) * 255 / 16).round().long()
    assert found == sorted(map(tuple, bundled.flatten(1).tolist()))


@pytest.mark.parametrize("image_size", [8, 17, 28, 32])
def test_images_have_the_requested_size(image_size: int) -> None:
    data = digits(image_size=image_size)
    assert data.image_shape == (1, image_size, image_size)
    assert data.num_classes == len(data.class_names) == 10
    x, y = stacked(data.test_dataloader())
    assert x.shape == (300, 1, image_size, image_size)
    assert x.min() == 0
    assert x.max() == 1
    assert set(y.tolist()) == set(range(10))


def test_the_split_depends_on_the_split_seed_and_not_on_the_seed() -> None:
    first, other_run, other_split = digits(seed=0), digits(seed=1), digits(split_seed=1)
    assert torch.equal(first.validation.pixels, other_run.validation.pixels)
    assert not torch.equal(first.validation.pixels, other_split.validation.pixels)


@pytest.mark.parametrize("stage", ["val", "test"])
def test_evaluation_is_the_same_in_every_epoch_and_run(stage: str) -> None:
    runs = [digits(seed=seed, binarize="dynamic", batch_size=seed + 5) for seed in (0, 1)]
    loaders = [getattr(run, f"{stage}_dataloader")() for run in runs]
    for one, other, again in zip(*loaders, loaders[0], strict=True):
        assert same(one, other)
        assert same(one, again)
        assert torch.equal(one.random.normal(one.x), other.random.normal(other.x))


def test_validation_and_test_draw_independently() -> None:
    data = digits()
    first, second = next(iter(data.val_dataloader())), next(iter(data.test_dataloader()))
    assert not torch.equal(first.random.normal(first.x[:9]), second.random.normal(second.x[:9]))


def test_training_depends_on_the_seed() -> None:
    first, again, other = (next(iter(digits(seed=seed).train_dataloader())) for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)


def test_the_showcase_is_the_same_in_every_run_and_in_round_robin_order_of_the_classes() -> None:
    first, other = digits(seed=0).showcase(24), digits(seed=1, batch_size=7).showcase(24)
    assert same(first, other)
    assert first.y.tolist() == [*range(10), *range(10), *range(4)]
    assert first.size == 24


def test_the_showcase_of_unlabelled_data_shows_the_same_images() -> None:
    labelled, unlabelled = digits().showcase(12), digits(labels=False).showcase(12)
    assert torch.equal(labelled.x, unlabelled.x)
    assert unlabelled.y.tolist() == [-1] * 12


def test_the_showcase_is_binarised_like_the_data_and_always_the_same() -> None:
    data = digits(binarize="dynamic")
    assert set(data.showcase(24).x.unique().tolist()) == {0.0, 1.0}
    assert same(data.showcase(24), data.showcase(24))


def test_without_labels_every_label_is_minus_one() -> None:
    data = digits(labels=False)
    assert data.num_classes == 0
    for batches in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        assert set(stacked(batches)[1].tolist()) == {-1}


def test_setup_twice_changes_nothing() -> None:
    data = digits()
    before = data.train
    data.prepare_data()
    data.setup("fit")
    assert data.train is before


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match=r"^batch_size: expected at least 1, found"):
        DigitsDataModule(batch_size=batch_size)


def test_an_image_size_below_the_native_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^image_size: expected at least 8, found 7"):
        DigitsDataModule(image_size=7)


@pytest.mark.parametrize("image_size", [65, 100])
def test_an_image_size_above_the_documented_one_is_refused(image_size: int) -> None:
    with pytest.raises(ValueError, match=rf"^image_size: expected at most 64, found {image_size}"):
        DigitsDataModule(image_size=image_size)
