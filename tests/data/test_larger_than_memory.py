"""Sets of images larger than the memory: they stay in their file, and everything is as of those in memory."""

import io
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file

from latentlab.data import memory_limit
from latentlab.data.arrays import ArraysDataModule
from latentlab.data.folder import FolderDataModule
from latentlab.errors import DataError
from latentlab.training.restore import load_model, trusted_config

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (60, 8, 10), np.uint8)
COLOURS = RANDOM.integers(0, 256, (60, 8, 10, 3), np.uint8)
SHORT = ("model=vae", "trainer.max_epochs=2", "data.batch_size=16", "callbacks=no_pictures", "logger=none")


def loaded(data):
    data.prepare_data()
    data.setup()
    return data


def arrays(file) -> ArraysDataModule:
    return loaded(ArraysDataModule(file, "own"))


def folder(root, cache) -> FolderDataModule:
    return loaded(FolderDataModule(root, "own", cache=cache))


def is_mapped(tensor) -> bool:
    """Whether its memory is part of a file."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            area, *_, path = line.split(maxsplit=5)
            begin, end = (int(place, 16) for place in area.split("-"))
            if begin <= tensor.data_ptr() < end:
                return ".np" in path  # " (deleted)" after it where the file is replaced
    raise AssertionError("it has no memory")


@pytest.fixture
def no_memory(monkeypatch) -> None:
    """Every array is large."""
    monkeypatch.setattr(memory_limit, "LARGE", 0)


@pytest.fixture
def pictures(tmp_path):
    """Sixty pictures of random bytes in the folders of two classes."""
    for k, pixels in enumerate(GREY):
        place = tmp_path / "pictures" / "ab"[k % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{k}.png")
    return tmp_path / "pictures"


LIMITED = """
import resource, sys
import numpy as np
from latentlab.data.arrays import ArraysDataModule

in_use = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (in_use + 2**28, resource.RLIM_INFINITY))
try:
    np.load(sys.argv[1])
except MemoryError:
    print("too large for the memory")
data = ArraysDataModule(sys.argv[1], "large", batch_size=1000)
data.setup()
batches = [next(iter(loader)) for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())]
print([len(batch.x) for batch in batches], data.fingerprint())
"""


@pytest.mark.long
def test_a_file_of_half_a_gibibyte_in_half_of_that(tmp_path):
    shape = (2**19, 32, 32)
    with (tmp_path / "x.npy").open("wb") as stream:  # of zeros, which take no room on the disk
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
        stream.truncate(stream.tell() + 2**29)
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "x.npy")], capture_output=True, text=True, check=False
    )
    assert found.stdout.splitlines()[:1] == ["too large for the memory"], found.stderr
    assert found.stdout.splitlines()[1].startswith("[1000, 1000, 1000] "), found.stderr


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("x", [GREY, GREY[:, None], COLOURS, COLOURS.transpose(0, 3, 1, 2).copy()], ids=np.shape)
def test_bytes_of_every_layout_stay_in_their_file_with_the_same_batches(tmp_path, monkeypatch, x, name):
    np.savez(tmp_path / "x.npz", first=np.zeros(3), x=x) if name == "x.npz" else np.save(tmp_path / "x.npy", x)
    in_memory = arrays(tmp_path / name)
    monkeypatch.setattr(memory_limit, "LARGE", 0)
    mapped = arrays(tmp_path / name)
    assert is_mapped(mapped.train.stored)
    assert not is_mapped(in_memory.train.stored)
    assert mapped.fingerprint() == in_memory.fingerprint()
    for a, b in zip(mapped.train_dataloader(), in_memory.train_dataloader(), strict=True):
        assert torch.equal(a.x, b.x)


def test_splits_and_labels_of_a_mapped_file(tmp_path, monkeypatch):
    named = np.array(["b", "a"] * 10)
    np.savez(tmp_path / "x.npz", x=GREY[:40], y=np.tile(named, 2), x_test=GREY[40:], y_test=named)
    in_memory = arrays(tmp_path / "x.npz")
    np.savez_compressed(tmp_path / "compressed.npz", **np.load(tmp_path / "x.npz"))
    monkeypatch.setattr(memory_limit, "LARGE", 0)
    mapped = arrays(tmp_path / "x.npz")
    assert is_mapped(mapped.test.stored)
    assert mapped.class_names == ("a", "b")
    assert mapped.fingerprint() == in_memory.fingerprint() == arrays(tmp_path / "compressed.npz").fingerprint()


def in_archive(file, content: bytes) -> None:
    """An archive of x.npy with this content, and of another member behind it."""
    with ZipFile(file, "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("later.npy", bytes(10**5))


@pytest.mark.usefixtures("no_memory")
def test_a_mapped_member_ends_where_its_header_says_and_is_whole(tmp_path):
    stream = io.BytesIO()
    np.save(stream, GREY)
    content = stream.getvalue()
    in_archive(tmp_path / "x.npz", content)
    assert is_mapped(arrays(tmp_path / "x.npz").train.stored)
    in_archive(tmp_path / "x.npz", content[:-80])  # what follows in the archive is no image
    with pytest.raises(DataError, match=r"x\.npy is not as long as its header says"):
        arrays(tmp_path / "x.npz")
    in_archive(tmp_path / "x.npz", content)
    damaged = bytearray((tmp_path / "x.npz").read_bytes())
    damaged[3000] ^= 1
    (tmp_path / "x.npz").write_bytes(damaged)
    with pytest.raises(DataError, match="Bad CRC-32"):
        arrays(tmp_path / "x.npz")


@pytest.mark.usefixtures("no_memory")
def test_pickled_objects_in_a_large_file_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.array([{}, []], dtype=object))
    with pytest.raises(DataError, match="pickled objects, which are refused"):
        arrays(tmp_path / "x.npz")


@pytest.mark.parametrize("x", [GREY / 255, (GREY / 255).astype(np.float16), GREY > 99], ids=lambda x: str(x.dtype))
def test_floats_and_booleans_become_the_same_bytes_some_rows_at_a_time(tmp_path, monkeypatch, x):
    np.save(tmp_path / "x.npy", x)
    expected = arrays(tmp_path / "x.npy").fingerprint()
    monkeypatch.setattr("latentlab.data.images.AT_ONCE", 1000)
    monkeypatch.setattr(memory_limit, "LARGE", 0)
    assert arrays(tmp_path / "x.npy").fingerprint() == expected


@pytest.mark.slow
def test_a_run_of_mapped_arrays_has_the_weights_and_metrics_of_one_in_memory(train, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", GREY)
    setting = ("data=arrays", f"data.file={tmp_path}/x.npy", "data.binarize=dynamic", *SHORT, "evaluate=quick")
    in_memory = train(*setting, folder="in_memory")
    monkeypatch.setattr(memory_limit, "LARGE", 0)
    same(train(*setting, folder="mapped"), in_memory)


def test_a_run_of_a_cached_folder_has_the_weights_and_metrics_of_one_in_memory(train, pictures):
    setting = ("data=folder", f"data.root={pictures}", *SHORT)
    in_memory = train(*setting, "data.cache=null", folder="in_memory")
    same(train(*setting, folder="mapped"), in_memory)


def same(run, other) -> None:
    assert run.metrics["metrics"] == other.metrics["metrics"]
    assert run.metrics["data_fingerprint"] == other.metrics["data_fingerprint"]
    weights, others = (load_model(each, trusted_config(each)).state_dict() for each in (run, other))
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_decoded_pictures_stay_in_the_cache_and_keep_what_they_are_when_it_is_replaced(pictures, tmp_path):
    before = folder(pictures, tmp_path / "cache")
    fingerprint = folder(pictures, None).fingerprint()
    Image.fromarray(255 - GREY[0]).save(pictures / "a" / "new.png")
    after = folder(pictures, tmp_path / "cache")
    assert is_mapped(before.train.stored)
    assert before.fingerprint() == fingerprint
    assert after.fingerprint() == folder(pictures, None).fingerprint() != fingerprint


def test_a_shortened_cache_is_decoded_again(pictures, tmp_path, caplog):
    fingerprint = folder(pictures, tmp_path / "cache").fingerprint()
    (array,) = (tmp_path / "cache").glob("*.npy")
    array.write_bytes(array.read_bytes()[:-100])
    assert folder(pictures, tmp_path / "cache").fingerprint() == fingerprint
    assert "is damaged; the pictures are decoded again" in caplog.text


@pytest.mark.usefixtures("no_memory")
def test_a_shortened_file_of_arrays_is_one_line(tmp_path):
    np.save(tmp_path / "x.npy", GREY)
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content[:-100])
    with pytest.raises(DataError, match=r"^data\.file: [^\n]*x\.npy cannot be read \([^\n]+\)$"):
        arrays(tmp_path / "x.npy")


@contextmanager
def files_of_at_most(size: int):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_on_a_full_disk_the_pictures_are_held_in_memory_and_nothing_is_left(pictures, tmp_path, caplog):
    with files_of_at_most(2000):
        data = folder(pictures, tmp_path / "cache")
    assert "the decoded pictures cannot be kept in" in caplog.text
    assert data.fingerprint() == folder(pictures, None).fingerprint()
    assert not list((tmp_path / "cache").glob("*.npy")) + list((tmp_path / "cache").glob("*.draft"))


def test_a_disk_without_room_for_them_is_known_before_they_are_decoded(pictures, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1000))
    folder(pictures, tmp_path / "cache")
    assert "cannot be kept in" in caplog.text
    assert "0.0 GiB are free" in caplog.text


MISTAKES = {
    "pictures that are not kept": r"^data\.cache: the decoded pictures take 1 GiB, more than half of .*; set data\.",
    "floats": r"^data\.file: as bytes x in .*x\.npy takes 1 GiB, .*; save bytes \(uint8\) of the final size",
    "an archive": r"^data\.file: .*x\.npz unpacks to 1 GiB, more than half of .*; save x as \.npy",
    "safetensors": r"^data\.file: .*x\.safetensors takes 1 GiB, more than half of .*; save x as \.npy",
}


@pytest.mark.parametrize("what", MISTAKES)
def test_what_cannot_stay_in_a_file_is_refused_with_a_way_out(pictures, tmp_path, monkeypatch, what):
    np.save(tmp_path / "x.npy", GREY / 255)
    np.savez_compressed(tmp_path / "x.npz", x=GREY)
    save_file({"x": GREY}, tmp_path / "x.safetensors")
    monkeypatch.setattr(memory_limit, "host_memory", lambda: 9000)  # two copies of the bytes are 9,600
    load = {
        "pictures that are not kept": lambda: folder(pictures, None),
        "floats": lambda: arrays(tmp_path / "x.npy"),
        "an archive": lambda: arrays(tmp_path / "x.npz"),
        "safetensors": lambda: arrays(tmp_path / "x.safetensors"),
    }
    with pytest.raises(DataError, match=MISTAKES[what]):
        load[what]()


def test_the_memory_is_what_a_limit_of_the_process_or_its_container_leaves(tmp_path, monkeypatch):
    machine = memory_limit.host_memory()
    monkeypatch.setattr(memory_limit, "CONTAINER", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit.host_memory() >= machine
    (tmp_path / "memory.max").write_text("12345\n")
    assert memory_limit.host_memory() == 12345
