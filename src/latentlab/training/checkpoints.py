"""Checkpoints written atomically: a half-written one would be the only one to resume from."""

import io
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from latentlab.runs.files import write_atomically


@final
class WholeCheckpoints(TorchCheckpointIO):
    """Written to a new file, which then replaces the old one.

    Lightning 2.6 writes into the system's temporary folder and moves the file; where that is another disk than
    the run's, it copies over the old one, and a full disk or a kill leaves neither.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Raises OSError that names the file where it cannot be written; the previous one is then kept."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_atomically(Path(path), content.getbuffer())
