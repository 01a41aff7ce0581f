"""What a resumed training continues from, and where it lies."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import BaseFinetuning

from latentlab.errors import UserError
from latentlab.models.checkpoint_file import weights_fingerprint
from latentlab.report.reading.records import read_record
from latentlab.runs import Run

SHORT = ("data=digits", "data.image_size=8", "net.widths=[8]", "trainer=cpu", "callbacks=no_pictures", "logger=none")


def test_epochs_whose_last_checkpoint_is_missing_are_not_overwritten(train, capfd):
    run = train(*SHORT, "trainer.max_epochs=2")
    run.last_checkpoint.unlink()
    before = {file: file.read_bytes() for file in run.folder.rglob("*") if file.is_file() and file.name != "train.log"}
    train(f"resume={run.folder}", "trainer.max_epochs=3", status=1)
    assert "lacks checkpoints/last.ckpt, from which it continues; start a new run" in capfd.readouterr().err
    assert {file: file.read_bytes() for file in before} == before


def test_a_run_in_a_linked_folder_is_evaluated_renamed_and_resumed(train, tmp_path):
    (tmp_path / "elsewhere" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "deeper")
    run = train(*SHORT, "trainer.max_epochs=1", folder="link/run")
    assert run.metrics["checkpoint"] == "checkpoints/best.ckpt"
    run.write_metrics({**run.metrics, "checkpoint": "../../elsewhere/run/checkpoints/best.ckpt"})  # as until 0.2.0
    run.folder.rename(tmp_path / "renamed")
    assert Run(tmp_path / "renamed").best_checkpoint is not None
    assert train("resume=renamed", "trainer.max_epochs=2", folder="renamed").metrics["epochs"] == 2


class LateEncoder(BaseFinetuning):
    """The encoder is trained from the second epoch on."""

    def freeze_before_training(self, pl_module) -> None:
        self.freeze(pl_module.encoder)

    def finetune_function(self, pl_module, epoch, optimizer) -> None:
        if epoch == 1:
            self.make_trainable(pl_module.encoder)


def test_what_a_callback_has_unfrozen_stays_so_in_a_resumed_run(train):
    own = f"+callbacks.own._target_={LateEncoder.__module__}.LateEncoder"
    whole = train(*SHORT, own, "trainer.max_epochs=3", folder="whole")
    for epochs in (1, 2, 3):  # the first of them ends with a frozen encoder
        given = [*SHORT, own] if epochs == 1 else ["resume=parts"]
        parts = train(*given, f"trainer.max_epochs={epochs}", folder="parts")
    assert weights(parts.last_checkpoint) == weights(whole.last_checkpoint)
    assert parts.metrics["metrics"] == whole.metrics["metrics"]


def weights(checkpoint: Path) -> str:
    return weights_fingerprint(torch.load(checkpoint, weights_only=True)["state_dict"])


@pytest.mark.parametrize(
    ("exchanged", "other", "line"),
    [
        ("last.ckpt", "seed=1", "expected seed=0, found 1"),
        ("last.ckpt", "model.beta=2", "expected model.beta=1.0, found 2"),
        ("best.ckpt", "optimizer.lr=0.01", "expected optimizer.lr=0.001, found 0.01"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(train, capfd, exchanged, other, line):
    run = train(*SHORT, "trainer.max_epochs=1", folder="run")
    stranger = train(*SHORT, other, "trainer.max_epochs=1", folder="other")
    (run.folder / "checkpoints" / exchanged).unlink()  # the two may be one file
    shutil.copy(stranger.folder / "checkpoints" / exchanged, run.folder / "checkpoints")
    train("resume=run", "trainer.max_epochs=2", folder="run", status=1)
    assert (
        f"{exchanged} is of another run: {line}; replace it by another checkpoint of this run" in capfd.readouterr().err
    )
    assert_complete(run)


def assert_complete(run: Run) -> None:
    """With its one epoch."""
    assert (run.status["status"], run.metrics["epochs"], run.config.trainer.max_epochs) == ("complete", 1, 1)
    assert read_record(run.folder, "run").metrics == run.metrics["metrics"]


def test_a_complete_run_stays_complete_where_its_data_is_missing(train, folder):
    np.save("images.npy", np.random.default_rng(0).random((200, 8, 8), dtype=np.float32))
    arrays = [*SHORT, "data=arrays", "data.file=images.npy"]
    run = train(*arrays, "trainer.max_epochs=1", folder="run")
    Path("images.npy").rename("moved.npy")
    train("resume=run", "trainer.max_epochs=2", folder="run", status=1)
    assert_complete(run)
    train("resume=run", "trainer.max_epochs=2", "data.file=moved.npy", folder="run")
    assert run.metrics["epochs"] == 2


def test_a_complete_run_stays_complete_where_its_checkpoint_cannot_be_restored(train):
    run = train(*SHORT, "trainer.max_epochs=1", folder="run")
    content = torch.load(run.last_checkpoint, weights_only=True)
    run.last_checkpoint.unlink()
    torch.save(content | {"optimizer_states": [{}]}, run.folder / "checkpoints" / "last.ckpt")
    train("resume=run", "trainer.max_epochs=2", folder="run", status=1)
    assert_complete(run)


def test_an_override_that_cannot_be_read_is_of_the_file(train, capfd):
    run = train(*SHORT, "trainer.max_epochs=1", folder="run")
    file = run.folder / ".hydra" / "overrides.yaml"
    file.write_text(file.read_text() + "- seed=[\n")
    train("resume=run", folder="run", status=1)
    assert "overrides.yaml is damaged ('seed=[' is no override of a run); start a new run" in capfd.readouterr().err


def test_a_reference_in_a_resolved_config_is_damage(train):
    run = train(*SHORT, "trainer.max_epochs=1")
    run.config_file.write_text(run.config_file.read_text().replace("seed: 0", "seed: ${x}"))
    with pytest.raises(UserError, match=r"resolved.yaml is damaged; start a new run"):
        _ = run.config


def test_a_training_that_goes_on_says_nothing_of_its_folder(train, recwarn):
    train(*SHORT, "trainer.max_epochs=1", folder="run")
    train("resume=run", "trainer.max_epochs=2", folder="run")
    assert not [str(warning.message) for warning in recwarn if "not empty" in str(warning.message)]
