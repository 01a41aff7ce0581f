"""A run that is stopped and resumed has the same batches and draws as an uninterrupted one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from latentlab.data.digits import DigitsDataModule
from latentlab.functional.batch import Batch, Call, batches_of

Record = tuple[int, int, list[int], float, float]
BATCHES = 6  # of 256 in 1,297 images


class StoppedError(Exception):
    """Ends the run."""


class Recorder(LightningModule):
    """Records the epoch, size, labels, sum of the pixels and first draw of each training batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(64, 1)
        self.automatic_optimization = False
        self.seen: list[Record] = []

    def training_step(self, call: Call) -> None:
        for batch in batches_of(call):
            draw = batch.random.uniform(batch.x[:, 0, 0, 0])[0].item()
            self.seen.append((self.current_epoch, batch.size, batch.y.tolist(), batch.x.double().sum().item(), draw))
            self.optimizers().step()

    def validation_step(self, batch: Batch) -> None:
        return None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1e-3)


class StopAt(Callback):
    """Saves a checkpoint and ends the run at a hook, once `when` holds."""

    def __init__(self, hook: str, when: Callable[[Trainer], bool], path: Path) -> None:
        def stop(trainer: Trainer, *_: Any) -> None:
            if when(trainer):
                trainer.save_checkpoint(path)
                raise StoppedError

        setattr(self, hook, stop)


def fit(
    callbacks: list[Callback], checkpoint: Path | None = None, steps_per_call: int = 1, **options: Any
) -> list[Record]:
    module = Recorder()
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        **options,
    )
    data = DigitsDataModule(image_size=8, batch_size=256, binarize="dynamic", seed=3)
    data.batches_per_call = steps_per_call
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint)
    except StoppedError:
        assert checkpoint is None, "a resumed run is not stopped again"
    return module.seen


# Not among them: Lightning 2.6.6 skips the whole epoch of a checkpoint saved in `on_train_epoch_start`.
STOPS = {
    "after the second batch of the second epoch": (
        "on_train_batch_end",
        lambda trainer: trainer.global_step == trainer.num_training_batches + 2,
        lambda batches: batches + 2,
    ),
    "after the second batch of all": (
        "on_train_batch_end",
        lambda trainer: trainer.global_step == 2,
        lambda batches: 2,
    ),
    "after the last batch of the second epoch": (
        "on_train_batch_end",
        lambda trainer: trainer.global_step == 2 * trainer.num_training_batches,
        lambda batches: 2 * batches,
    ),
    "after the validation of the second epoch": (
        "on_validation_end",
        lambda trainer: trainer.global_step == 2 * trainer.num_training_batches,
        lambda batches: 2 * batches,
    ),
    "at the end of the first epoch": (
        "on_train_epoch_end",
        lambda trainer: trainer.current_epoch == 0,
        lambda batches: batches,
    ),
    "at the end of the second epoch": (
        "on_train_epoch_end",
        lambda trainer: trainer.current_epoch == 1,
        lambda batches: 2 * batches,
    ),
}
RUNS = {
    "whole epochs": {"max_epochs": 4},
    "limited epochs": {"max_epochs": 4, "limit_train_batches": 4},
    "without validation": {"max_epochs": 4, "limit_val_batches": 0},
    "validation twice an epoch": {"max_epochs": 4, "val_check_interval": 0.5},
    "counted in steps": {"max_epochs": -1, "max_steps": 4 * BATCHES},
}


@pytest.fixture(scope="module")
def uninterrupted() -> dict[str, list[Record]]:
    return {name: fit([], **options) for name, options in RUNS.items()}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("stop", STOPS)
def test_a_resumed_run_continues_where_it_stopped(
    uninterrupted: dict[str, list[Record]], run: str, stop: str, tmp_path: Path
) -> None:
    hook, when, seen_before = STOPS[stop]
    options = RUNS[run]
    batches = options.get("limit_train_batches", BATCHES)
    if hook == "on_validation_end" and options.get("limit_val_batches") == 0:
        pytest.skip("a run without validation does not stop there")
    before = fit([StopAt(hook, when, tmp_path / "saved.ckpt")], **options)
    after = fit([], tmp_path / "saved.ckpt", **options)
    assert len(before) == seen_before(batches)
    assert before + after == uninterrupted[run]


def test_an_uninterrupted_run_shuffles_each_epoch_differently(uninterrupted: dict[str, list[Record]]) -> None:
    seen = uninterrupted["whole epochs"]
    assert [record[0] for record in seen] == [epoch for epoch in range(4) for _ in range(BATCHES)]
    labels = [tuple(y for record in seen if record[0] == epoch for y in record[2]) for epoch in range(4)]
    assert len(set(labels)) == 4
    assert len({tuple(sorted(order)) for order in labels}) == 1


def test_a_saved_state_counts_the_batches_of_the_training_step(tmp_path: Path) -> None:
    hook, when, _ = STOPS["after the second batch of the second epoch"]
    fit([StopAt(hook, when, tmp_path / "saved.ckpt")], max_epochs=2)
    saved = torch.load(tmp_path / "saved.ckpt", weights_only=True)
    assert saved["loops"]["fit_loop"]["state_dict"]["combined_loader"] == [{"epoch": 1, "batch": 2}]
