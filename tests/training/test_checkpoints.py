"""Checkpoints of one moment are one file with two names; those of two moments are two files."""

import os

import pytest
import torch

ARGUMENTS = ("data=digits", "data.image_size=8", "trainer.max_epochs=2", "callbacks=no_pictures", "logger=none")


def epochs_of(run) -> list[int]:
    """The epochs of the best and the last checkpoint."""
    files = [run.folder / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")]
    return [torch.load(file, weights_only=True)["epoch"] for file in files]


def test_best_and_last_are_one_file_after_the_best_epoch(train):
    run = train(*ARGUMENTS)
    assert os.path.samefile(run.best_checkpoint, run.last_checkpoint)
    assert epochs_of(run) == [1, 1]


def test_a_later_last_leaves_the_best_as_it_was(train):
    run = train(*ARGUMENTS, "callbacks.checkpoint.mode=max")  # the objective falls: the first epoch is the highest
    assert not os.path.samefile(run.best_checkpoint, run.last_checkpoint)
    assert epochs_of(run) == [0, 1]


def test_a_resumed_training_leaves_the_best_as_it_was(train):
    run = train(*ARGUMENTS, "callbacks.checkpoint.mode=max", "trainer.max_epochs=1")
    assert os.path.samefile(run.best_checkpoint, run.last_checkpoint)
    train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert epochs_of(run) == [0, 1]


def test_without_links_in_the_file_system_both_are_written(train, monkeypatch):
    def link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    run = train(*ARGUMENTS)
    assert not os.path.samefile(run.best_checkpoint, run.last_checkpoint)
    assert epochs_of(run) == [1, 1]
    assert not list((run.folder / "checkpoints").glob(".*"))


def test_without_a_monitor_the_last_epoch_is_tested_and_resumed(train):
    run = train(*ARGUMENTS, "callbacks.checkpoint.monitor=null", "trainer.max_epochs=1")
    train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert epochs_of(run) == [1, 1]
    assert run.metrics["checkpoint"] == "checkpoints/best.ckpt"


@pytest.mark.parametrize("weights_only", [False, True])
def test_a_checkpoint_of_the_weights_alone_is_never_the_one_to_resume_from(train, weights_only):
    run = train(*ARGUMENTS, f"callbacks.checkpoint.save_weights_only={weights_only}")
    assert os.path.samefile(run.best_checkpoint, run.last_checkpoint) != weights_only
    assert "optimizer_states" in torch.load(run.last_checkpoint, weights_only=True)


def test_what_a_kill_left_of_a_write_is_gone_after_the_next_start(train):
    run = train(*ARGUMENTS, "trainer.max_epochs=1")
    left = [run.folder / name for name in (".status.json.77", ".hydra/.resolved.yaml.77", "checkpoints/.last.ckpt.77")]
    for file in left:
        file.write_bytes(b"half")
    (run.folder / ".own.txt").touch()
    train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert not any(file.exists() for file in left)
    assert (run.folder / ".own.txt").exists()
