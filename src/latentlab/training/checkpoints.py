"""Checkpoints written atomically, as a half-written one would be the only one to resume from, and read with checks."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from latentlab.errors import UserError
from latentlab.models.checkpoint_file import ERRORS, checked_content
from latentlab.runs import layout
from latentlab.runs.files import link_atomically, write_atomically


def read_checkpoint(file: Path, way_out: str) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU; its tensors may be mapped from the file.

    way_out: what to do about a damaged one.

    Raises:
        UserError: the file is damaged, no checkpoint of a run, or holds weights that are NaN.
    """
    try:
        content = checked_content(file)
        image_shape, num_classes = content["data"]["image_shape"], content["data"]["num_classes"]
        content["data"] = {"image_shape": [*map(int, image_shape)], "num_classes": int(num_classes)}
    except ERRORS as error:
        if isinstance(error.__cause__, UnicodeEncodeError):
            raise UserError(f"{file.absolute()}: PyTorch opens no file whose path is not UTF-8; rename it") from error
        raise UserError(f"{file} is damaged; {way_out}") from error
    return content


def fits(content: dict[str, Any], model: torch.nn.Module) -> bool:
    """Whether the checkpoint's weights have the names and shapes of the model's."""
    return _shapes(content["state_dict"]) == _shapes(model.state_dict())


def _shapes(weights: Mapping[str, Any]) -> dict[str, torch.Size | None]:
    """None of what a module of the user's own adds by `get_extra_state`."""
    return {name: weight.shape if isinstance(weight, torch.Tensor) else None for name, weight in weights.items()}


def holds_a_training(content: dict[str, Any]) -> bool:
    """Whether a training can continue from the checkpoint: without these, Lightning would start parts of it anew."""
    kinds = {"optimizer_states": list, "loops": dict, "callbacks": dict}
    return all(isinstance(content.get(key), kind) and content[key] for key, kind in kinds.items())


@final
class LastCheckpoint(ModelCheckpoint):
    """Saves `last.ckpt` after each epoch: Lightning's `save_last` would write it in the best epochs alone.

    A class of its own, as Lightning tells the states of two callbacks apart by class and options.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, layout.LAST, save_on_train_epoch_end=True, enable_version_counter=False)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """The run may have been moved: Lightning would forget the best epoch where the folder has another name."""
        for own in trainer.checkpoint_callbacks:
            state = checkpoint.get("callbacks", {}).get(own.state_key)
            if isinstance(own, ModelCheckpoint) and state is not None and own.dirpath is not None:
                state.update(_in_folder(state, Path(own.dirpath)))


def _in_folder(state: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What a checkpoint callback's state says of its files, which are now in `folder`."""
    if state.get("dirpath") is None:
        return {}
    before = Path(state["dirpath"])

    def now(path: str) -> str:
        return str(folder / Path(path).name) if path and Path(path).parent == before else path

    paths = {key: now(state[key]) for key in ("best_model_path", "kth_best_model_path", "last_model_path")}
    best = {now(path): score for path, score in state["best_k_models"].items()}
    return {**paths, "best_k_models": best, "dirpath": str(folder)}


@final
class WholeCheckpoints(TorchCheckpointIO):
    """Written to a new file, which then replaces the old one.

    Lightning 2.6 writes into the system's temporary folder and moves the file; where that is another disk than
    the run's, it copies over the old one, and a full disk or a kill leaves neither.

    Those of one moment, as the best and the last are at the end of the best epoch, are one file with two names.
    """

    def __init__(self) -> None:
        super().__init__()
        self._moment, self._file = b"", Path()

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Raises OSError that names the file where it cannot be written; the previous one is then kept."""
        file, moment = Path(path), _moment(checkpoint)
        if moment == self._moment and link_atomically(self._file, file):
            return
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_atomically(file, content.getbuffer())
        self._moment, self._file = moment, file


def _moment(checkpoint: dict[str, Any]) -> bytes:
    """Equal for checkpoints of one place in the training, both of the weights alone or both of everything."""
    return pickle.dumps([sorted(checkpoint), checkpoint["epoch"], checkpoint["global_step"], checkpoint["loops"]])
