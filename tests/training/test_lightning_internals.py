"""What is used of Lightning's private parts is still there, and gives what the official way gives."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback, Trainer

from latentlab.models.optimization import lightning_steps
from latentlab.training.lightning_internals import direct_steps
from tests.training.callbacks.short_runs import digits, model_of, trainer_with

MOVED = "Lightning has moved {}: update training/lightning_internals.py, or use `lightning_steps` alone"


def test_the_counter_of_manual_optimization_is_where_it_was():
    loop = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", devices=1).fit_loop.epoch_loop
    progress = getattr(getattr(loop, "manual_optimization", None), "optim_step_progress", None)
    assert progress is not None, MOVED.format("fit_loop.epoch_loop.manual_optimization.optim_step_progress")
    for method in ("increment_ready", "increment_completed"):
        assert hasattr(progress, method), MOVED.format(f"optim_step_progress.{method}")


def trained(steps_of, *callbacks: Callback, optimizer=torch.optim.Adam):
    model = model_of("vae", data := digits())
    model.parts = replace(model.parts, optimizer=partial(optimizer, lr=1e-3))
    model.train_in_calls(steps_of, total_steps=6)
    trainer = trainer_with(None, *callbacks, epochs=2)
    trainer.fit(model, datamodule=data)
    return model, trainer


def test_direct_steps_give_the_weights_and_counts_of_lightnings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (direct, counted), (official, expected) = trained(direct_steps), trained(lightning_steps)
    assert all(torch.equal(a, b) for a, b in zip(direct.parameters(), official.parameters(), strict=True))
    assert counted.global_step == expected.global_step == 6, MOVED.format("what global_step counts")
    assert counted.fit_loop.state_dict() == expected.fit_loop.state_dict(), MOVED.format("the progress of the loops")


class BeforeBackward(Callback):
    def on_before_backward(self, *_) -> None: ...


def test_an_optimizer_with_its_own_zero_grad_is_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []

    class Own(torch.optim.SGD):
        def zero_grad(self, set_to_none: bool = True) -> None:
            asked.append(set_to_none)
            super().zero_grad(set_to_none)

    trained(direct_steps, optimizer=Own)
    assert len(asked) == 6


@pytest.mark.parametrize(("callbacks", "is_direct"), [([], True), ([Callback()], True), ([BeforeBackward()], False)])
def test_steps_are_direct_only_where_lightning_adds_nothing(tmp_path, monkeypatch, callbacks, is_direct):
    monkeypatch.chdir(tmp_path)
    found = []

    def steps_of(model):
        found.append(direct_steps(model).backward is torch.Tensor.backward)
        return lightning_steps(model)

    trained(steps_of, *callbacks)
    assert set(found) == {is_direct}
