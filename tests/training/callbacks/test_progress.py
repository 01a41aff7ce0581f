"""The progress bar, as a terminal would show its last state."""

import re

import pytest


def test_the_bar_ends_full_and_shows_the_objective_of_an_image(train, capfd):
    setting = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=2", "callbacks=no_pictures"]
    train(*setting, "logger=none", "quiet=false")
    shown = capfd.readouterr().out
    assert "epoch 2/2" in shown
    assert "22/22 steps" in shown
    (objective,) = re.findall(r"objective ([\d.]+)", shown)[-1:]
    assert float(objective) == pytest.approx(31.0, rel=0.2)  # nats per image, not of a batch


def test_the_bar_and_a_schedule_end_where_max_steps_ends_the_training(train, capfd):
    setting = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=9", "callbacks=no_pictures"]
    run = train(*setting, "logger=none", "quiet=false", "+trainer.max_steps=15", "scheduler=cosine")
    assert "15/15 steps" in capfd.readouterr().out
    assert run.metrics["steps"] == 15
    epochs, _ = run.read_history()
    assert epochs[max(epochs)]["train/lr"] == pytest.approx(1e-5)  # a hundredth of the optimizer's, at the end


def test_a_quiet_run_logs_one_line_per_epoch(train, capfd):
    setting = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=3", "callbacks=no_pictures"]
    train(*setting, "logger=none", "quiet=true")
    lines = re.findall(r"epoch (\d)/3  train/objective [\d.]+  val/objective", capfd.readouterr().out)
    assert lines == ["1", "2", "3"]
