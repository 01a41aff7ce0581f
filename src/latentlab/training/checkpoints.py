"""Checkpoints that are whole or not there: one that is half written would be the only one to go on from."""

import io
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from latentlab.runs.files import write_atomically


@final
class WholeCheckpoints(TorchCheckpointIO):
    """Written beside the old one, which then gives way.

    Lightning 2.6 writes into the system's temporary folder and moves the file; where that is another disk than
    the run's, it copies over the old one, and a full disk or a kill leaves neither.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Raises OSError that names the file where it cannot be written; the one before it then stays."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_atomically(Path(path), content.getbuffer())
