"""A checkpoint that is damaged, holds something else or was made to do harm is refused in one line.

Found by resuming its run, and by measuring it.
"""

import os
import pickle
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from lightning.pytorch import Callback

from latentlab.errors import UserError
from latentlab.training.checkpoints import read_checkpoint
from tests.faults.causes import RUN


class Bomb:
    def __reduce__(self):
        return os.system, ("touch executed",)


def bombs() -> dict[str, bytes]:
    return {"a pickle": pickle.dumps(Bomb()), "an old pickle": pickle.dumps({"state_dict": Bomb()}, protocol=0)}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nonsense", *bombs().values()])
def test_a_checkpoint(run, answer, content):
    for file in (run / "checkpoints").iterdir():
        file.write_bytes(content)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def change_one_bit(checkpoint: Path) -> None:
    """Of the largest tensor."""
    with ZipFile(checkpoint) as archive:
        weights = max(archive.infolist(), key=lambda member: member.file_size)
    content = bytearray(checkpoint.read_bytes())
    end = content.index(b"PK\x07\x08", weights.header_offset)  # the end of the weights
    content[end - 9] ^= 16
    checkpoint.write_bytes(content)


class OneBit(Callback):
    """Changes it in the best checkpoint before the final test."""

    def on_fit_end(self, trainer, pl_module) -> None:
        change_one_bit(Path(trainer.checkpoint_callback.best_model_path))


def test_one_bit_of_the_checkpoint_that_is_to_be_tested(train, capfd):
    train(*RUN, f"+callbacks.one_bit._target_={__name__}.OneBit", status=1)
    assert "best.ckpt is damaged; train the run again" in capfd.readouterr().err


def test_one_bit_of_a_checkpoint_s_weights(run, answer):
    for file in (run / "checkpoints").iterdir():
        change_one_bit(file)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def test_a_checkpoint_in_torch_s_own_format_that_is_to_execute_something(run, answer):
    for file in (run / "checkpoints").iterdir():
        torch.save({**torch.load(file, weights_only=True), "data": Bomb()}, file)
    for name in ("resuming", "measuring"):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message


def changed(**changes: object):
    return lambda content: content | changes


def with_nan(content: dict) -> dict:
    name, weight = next(iter(content["state_dict"].items()))
    return content | {"state_dict": content["state_dict"] | {name: weight * torch.nan}}


def of_another_net(content: dict) -> dict:
    return content | {"state_dict": {name: weight[:1] for name, weight in content["state_dict"].items()}}


STRANGE = {
    "a list": lambda content: [1, 2],
    "a tensor": lambda content: torch.zeros(3),
    "None": lambda content: None,
    "nothing": lambda content: {},
    "no weights": changed(state_dict=None),
    "weights of other types": changed(state_dict={"a": 3}),
    "NaN": with_nan,
    "another net": of_another_net,
    "another variant": lambda content: content | {"state_dict": dict(list(content["state_dict"].items())[1:])},
}
OF_THE_TRAINING = {
    "no loops": changed(loops=None),
    "loops of other types": changed(loops={"fit_loop": 3}),
    "no optimizer": changed(optimizer_states=[]),
    "an optimizer of other types": changed(optimizer_states=[3]),
    "no means": lambda content: {key: value for key, value in content.items() if key != "train_means"},
}


@pytest.mark.parametrize("kind", [*STRANGE, *OF_THE_TRAINING])
def test_a_checkpoint_that_holds_something_else(run, answer, kind):
    for file in (run / "checkpoints").iterdir():
        content = torch.load(file, weights_only=True)
        torch.save((STRANGE | OF_THE_TRAINING)[kind](content), file)
    for name in ("resuming", "measuring") if kind in STRANGE else ("resuming",):
        status, message = answer(name)
        assert status == 1
        assert ".ckpt is damaged" in message or ".ckpt does not fit" in message


def test_a_path_that_pytorch_cannot_open_is_not_called_damage(run):
    folder = Path(os.fsdecode(b"not \xff UTF-8"))
    try:
        folder = run.rename(run.with_name(str(folder)))
    except OSError:
        pytest.skip("this file system has UTF-8 names alone")
    with pytest.raises(UserError, match="PyTorch opens no file whose path is not UTF-8; rename it"):
        read_checkpoint(folder / "checkpoints" / "best.ckpt", "train the run again")
