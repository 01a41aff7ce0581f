"""A checkpoint with a wrong checksum or NaN among its weights is refused; equal weights have one fingerprint."""

import io
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from latentlab.models.checkpoint_file import checked_content, checked_device, weights_fingerprint


class Place(NamedTuple):
    """A path of another library."""

    folder: Path

    def __fspath__(self) -> str:
        return str(self.folder / "model.ckpt")


WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(1.0)}


@pytest.fixture
def file(tmp_path) -> Path:
    torch.save({"state_dict": WEIGHTS}, tmp_path / "model.ckpt")
    return tmp_path / "model.ckpt"


@pytest.mark.usefixtures("unchecked")  # to whose eyes a stream of bytes is no IO[bytes]
def test_a_file_and_an_open_stream_are_read(file):
    for source in (file, str(file), io.BytesIO(file.read_bytes())):
        assert torch.equal(checked_content(source)["state_dict"]["a"], WEIGHTS["a"])


def test_one_flipped_bit_of_a_weight_is_found(file):
    content = bytearray(file.read_bytes())
    content[content.index(WEIGHTS["a"].numpy().tobytes())] ^= 1
    file.write_bytes(content)
    assert not torch.equal(torch.load(file)["state_dict"]["a"], WEIGHTS["a"])  # which PyTorch takes
    with pytest.raises(ValueError, match="expected a checkpoint, found a damaged or another file"):
        checked_content(file)


def test_nan_among_the_weights_is_refused(tmp_path):
    torch.save({"state_dict": {"a": torch.tensor([1.0, float("nan")])}}, tmp_path / "model.ckpt")
    with pytest.raises(ValueError, match="expected weights, found NaN among them"):
        checked_content(tmp_path / "model.ckpt")


def test_a_state_of_a_module_numbers_of_eight_bits_and_a_mask_of_attention_are_no_damage(tmp_path):
    tensors = {"a": torch.ones(2, dtype=torch.float8_e4m3fn), "mask": torch.tensor([0.0, -torch.inf])}
    weights = {**tensors, "_extra_state": {"calls": 1}}
    torch.save({"state_dict": weights}, tmp_path / "model.ckpt")
    assert checked_content(Place(tmp_path))["state_dict"].keys() == weights.keys()
    assert weights_fingerprint(weights) == weights_fingerprint(tensors)


@pytest.mark.parametrize("place", [None, "gpu", {"cuda:0": "cpu"}, lambda storage, _: storage])
def test_a_model_is_loaded_to_one_device(place):
    assert checked_device("cpu") == checked_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(ValueError, match="map_location: expected a device, such as 'cpu' or 'cuda:0', found "):
        checked_device(place)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        checked_content(tmp_path / "nowhere.ckpt")


def test_a_fingerprint_is_that_of_names_shapes_types_and_bits():
    same = weights_fingerprint({"b": WEIGHTS["b"].clone(), "a": WEIGHTS["a"].t().contiguous().t()})
    assert same == weights_fingerprint(WEIGHTS)
    others = [
        {**WEIGHTS, "b": torch.tensor(1.0 + 2**-23)},
        {**WEIGHTS, "b": torch.tensor(1.0, dtype=torch.float64)},
        {**WEIGHTS, "b": torch.tensor([1.0])},
        {"a": WEIGHTS["a"], "c": WEIGHTS["b"]},
    ]
    assert len({same, *map(weights_fingerprint, others)}) == 5
