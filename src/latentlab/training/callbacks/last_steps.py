"""The steps after the last full epoch are validated, as all others are."""

from typing import Any, ClassVar, final

from lightning.pytorch import Callback, LightningModule, Trainer


@final
class LastSteps(Callback):
    """Asks to stop where `max_steps` is reached: Lightning then validates there, and otherwise not inside an epoch."""

    once_per_call: ClassVar[bool] = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if 0 < trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True
