"""Which parameters are frozen, as a part of every checkpoint."""

from typing import Any, final

from lightning.pytorch import Callback, LightningModule, Trainer

KEY = "frozen_parameters"


@final
class FrozenParameters(Callback):
    """A resumed run trains what the run trained: Lightning's `BaseFinetuning` freezes again what it had unfrozen."""

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        named = pl_module.named_parameters()
        checkpoint[KEY] = [name for name, parameter in named if not parameter.requires_grad]

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        frozen = checkpoint.get(KEY)
        if frozen is not None:  # until 0.2.0 it was not saved
            for name, parameter in pl_module.named_parameters():
                parameter.requires_grad_(name not in frozen)
