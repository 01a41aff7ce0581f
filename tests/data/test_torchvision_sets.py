"""The MNIST family: images, labels and splits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets
from torchvision.transforms import ToTensor

from latentlab.data.checksums import read_idx
from latentlab.data.images import Images
from latentlab.data.torchvision_sets import (
    EMNISTDataModule,
    FashionMNISTDataModule,
    IdxDataModule,
    IdxSource,
    KMNISTDataModule,
    MNISTDataModule,
)
from latentlab.errors import DataError
from tests.data import idx_files
from tests.data.idx_files import write_idx, write_set

COUNTS = 60_000, 10_000


SETS = [(FashionMNISTDataModule, "FashionMNIST"), (KMNISTDataModule, "KMNIST")]
KINDS = "images-idx3-ubyte", "labels-idx1-ubyte"


def ready(data: IdxDataModule) -> IdxDataModule:
    data.prepare_data()
    data.setup()
    return data


def test_images_of_two_shapes_are_named(fashion: Path) -> None:
    write_idx(fashion / "FashionMNIST/raw/t10k-images-idx3-ubyte", np.zeros((COUNTS[1], 5, 6)))
    with pytest.raises(DataError, match=r"data: expected images of one shape, found .*'test': \(1, 5, 6\)"):
        ready(FashionMNISTDataModule(fashion))


def pictures(images: Images) -> list[tuple[object, ...]]:
    both = torch.cat([images.pixels.flatten(1).long(), images.labels.unsqueeze(1)], dim=1)
    return sorted(map(tuple, both.tolist()))


@pytest.fixture
def fashion(tmp_path: Path) -> Path:
    write_set(tmp_path / "FashionMNIST", "train", "t10k", counts=COUNTS)
    return tmp_path


@pytest.mark.parametrize(("module", "folder"), SETS)
def test_five_thousand_are_held_out_for_validation_and_the_test_set_is_complete(
    module: type[FashionMNISTDataModule], folder: str, tmp_path: Path
) -> None:
    write_set(tmp_path / folder, "train", "t10k", counts=COUNTS)
    data = ready(module(tmp_path))
    assert [len(images.labels) for images in (data.train, data.validation, data.test)] == [
        55_000,
        5000,
        10_000,
    ]
    official = getattr(datasets, folder)(tmp_path)
    parts = (data.train, data.validation)
    whole = Images(torch.cat([part.pixels for part in parts]), torch.cat([part.labels for part in parts]))
    assert pictures(whole) == pictures(Images(official.data.unsqueeze(1), official.targets))
    official_test = getattr(datasets, folder)(tmp_path, train=False)
    assert torch.equal(data.test.pixels[:, 0], official_test.data)
    assert torch.equal(data.test.labels, official_test.targets)
    assert data.image_shape == (1, 4, 6)
    assert data.num_classes == 10
    assert data.class_names == tuple(official.classes)


def test_two_datamodules_read_the_files_once(fashion: Path) -> None:
    first, second = (ready(FashionMNISTDataModule(fashion, seed=seed)) for seed in (0, 1))
    assert first.test.pixels.data_ptr() == second.test.pixels.data_ptr()


def test_a_file_damaged_between_two_jobs_of_one_process_is_detected(fashion: Path) -> None:
    ready(FashionMNISTDataModule(fashion))
    idx_files.truncate(fashion / "FashionMNIST/raw/t10k-images-idx3-ubyte")
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte is damaged"):
        FashionMNISTDataModule(fashion).prepare_data()
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte is damaged"):
        FashionMNISTDataModule(fashion).setup()


def test_setup_never_downloads(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        FashionMNISTDataModule(tmp_path).setup()
    assert list(tmp_path.iterdir()) == []


def test_too_few_images_for_a_validation_split_are_an_error(tmp_path: Path) -> None:
    class Own(IdxDataModule):
        name = "own"
        class_names = tuple("0123456789")
        source = IdxSource("Own", *(tuple(f"{split}-{kind}" for kind in KINDS) for split in ("a", "b")), fetch=print)

    write_set(tmp_path / "Own", "b", "a")
    with pytest.raises(DataError, match=r"expected more than 5,000 training images .* found 60"):
        Own(tmp_path).setup()


@pytest.mark.parametrize("stage", ["prepare_data", "setup"])
@pytest.mark.parametrize(("module", "folder"), SETS)
def test_the_test_files_are_not_accepted_as_the_training_files(
    module: type[KMNISTDataModule], folder: str, stage: str, tmp_path: Path
) -> None:
    write_set(tmp_path / folder, "t10k", "train", counts=COUNTS)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte is damaged: expected 60,000 images, found 10,000"):
        getattr(module(tmp_path), stage)()


@pytest.mark.parametrize(("module", "folder"), SETS)
def test_test_images_among_the_training_images_are_counted(
    module: type[KMNISTDataModule], folder: str, tmp_path: Path
) -> None:
    write_set(tmp_path / folder, "train", "t10k", counts=COUNTS)
    raw = tmp_path / folder / "raw"
    train, test = (read_idx(raw / f"{split}-images-idx3-ubyte", 3).numpy() for split in ("train", "t10k"))
    test[:100] = train[30_000:30_100]  # as many as are tolerated
    idx_files.write_idx(raw / "t10k-images-idx3-ubyte", test)
    module(tmp_path).prepare_data()
    test[9_999] = train[0]
    idx_files.write_idx(raw / "t10k-images-idx3-ubyte", test)
    with pytest.raises(DataError, match=r"found 101 of 10,000 among the training images; delete .* and run again$"):
        module(tmp_path).prepare_data()


def test_both_versions_of_emnists_letters_are_read(tmp_path: Path) -> None:
    names = "emnist-letters-train", "emnist-letters-test"
    write_set(tmp_path / "EMNIST", *names, 1, counts=(88_800, 14_800))
    ready(EMNISTDataModule(tmp_path, split="letters"))
    write_set(tmp_path / "EMNIST", *names, 1, counts=(88_801, 14_800))
    with pytest.raises(DataError, match="expected 124,800 or 88,800 images, found 88,801"):
        EMNISTDataModule(tmp_path, split="letters").setup()


@pytest.mark.parametrize(
    ("split", "classes", "first", "last", "counts"),
    [
        ("byclass", 62, "0", "z", (697_932, 116_323)),
        ("bymerge", 47, "0", "t", (697_932, 116_323)),
        ("balanced", 47, "0", "t", (112_800, 18_800)),
        ("letters", 26, "a", "z", (124_800, 20_800)),
        ("digits", 10, "0", "9", (240_000, 40_000)),
        ("mnist", 10, "0", "9", (60_000, 10_000)),
    ],
)
def test_emnist_is_transposed_back_and_its_labels_start_at_zero(
    split: str, classes: int, first: str, last: str, counts: tuple[int, int], tmp_path: Path
) -> None:
    first_label = 1 if split == "letters" else 0
    write_set(tmp_path / "EMNIST", f"emnist-{split}-train", f"emnist-{split}-test", first_label, counts)
    data = ready(EMNISTDataModule(tmp_path, split=split))
    stored = datasets.EMNIST(tmp_path, split=split, train=False)
    assert torch.equal(data.test.pixels[:, 0], stored.data.mT)
    assert data.image_shape == (1, 6, 4)
    assert data.num_classes == classes
    assert (data.class_names[0], data.class_names[-1]) == (first, last)
    assert data.test.labels.tolist() == [n % 10 for n in range(counts[1])]
    assert data.class_names[3] == stored.classes[int(stored.targets[3])]
    assert data.name == f"emnist_{split}"


def test_an_unknown_split_of_emnist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^split: expected one of byclass, .* found 'letter'"):
        EMNISTDataModule(tmp_path, split="letter")


@pytest.mark.mnist
def test_the_real_mnist_equals_torchvisions_bit_for_bit(mnist_root: Path) -> None:
    data = ready(MNISTDataModule(mnist_root))
    assert [len(images.labels) for images in (data.train, data.validation, data.test)] == [55000, 5000, 10000]
    reference = datasets.MNIST(mnist_root, train=False, transform=ToTensor())
    batches = list(data.test_dataloader())
    x, y = torch.cat([batch.x for batch in batches]), torch.cat([batch.y for batch in batches])
    assert torch.equal(y, reference.targets)
    for n in range(0, 10000, 97):
        assert torch.equal(x[n], reference[n][0])
    official = datasets.MNIST(mnist_root)
    labels = torch.cat([data.train.labels, data.validation.labels])
    assert torch.equal(labels.bincount(), official.targets.bincount())
    sums = torch.cat([data.train.pixels, data.validation.pixels]).sum((1, 2, 3)).sort().values
    assert torch.equal(sums, official.data.sum((1, 2)).sort().values)


def test_files_of_other_images_are_not_accepted_as_mnist(tmp_path: Path) -> None:
    write_set(tmp_path / "MNIST", "train", "t10k")
    with pytest.raises(DataError, match="train-images-idx3-ubyte is damaged: expected SHA-256"):
        MNISTDataModule(tmp_path).prepare_data()


def test_random_images_have_every_class(fashion: Path) -> None:
    data = ready(FashionMNISTDataModule(fashion))
    assert data.showcase(20).y.tolist() == [*range(10), *range(10)]
    assert np.array_equal(data.validation.labels.unique(), np.arange(10))
