"""With averaged weights, the run's test measures the weights that its folder gives back."""

from typing import final

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import StochasticWeightAveraging

from latentlab.models.ae import AE
from latentlab.models.base import Encoding
from latentlab.models.parts import Parts
from latentlab.training.lightning_internals import direct_steps
from latentlab.training.restore import load_data, load_model, trusted_config
from tests.training.callbacks.short_runs import digits, model_of, trainer_with

SHORT = ("data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=3", "callbacks=no_pictures")
AVERAGES = {
    "EMA": "{_target_:lightning.pytorch.callbacks.EMAWeightAveraging,decay:0.9}",
    "SWA": "{_target_:lightning.pytorch.callbacks.StochasticWeightAveraging,swa_lrs:0.01,swa_epoch_start:1}",
}


@pytest.mark.parametrize("kept", [1, 0])
@pytest.mark.parametrize("average", AVERAGES)
def test_the_metrics_of_the_test_are_those_of_the_model_that_is_read_back(train, capfd, average, kept):
    """Also where no epoch is kept as the best, so that the last one's weights are those of the run.

    A warning names the average that is in no checkpoint, and therefore not tested.
    """
    run = train(*SHORT, f"+callbacks.average={AVERAGES[average]}", f"callbacks.checkpoint.save_top_k={kept}")
    assert ("no checkpoint holds the average" in capfd.readouterr().out) == (average == "SWA")
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.test(load_model(run, trusted_config(run)), datamodule=load_data(run, trusted_config(run)), verbose=False)
    again = {name: trainer.callback_metrics[name].item() for name in ("test/mse", "test/elbo", "test/objective_final")}
    assert {name: run.metrics["metrics"][name] for name in again} == pytest.approx(again, rel=1e-6)


@final
class Counting(AE):
    """It counts its calls, also those of an evaluation, as running statistics do."""

    def __init__(self, parts: Parts, latent_dim: int) -> None:
        super().__init__(parts, latent_dim)
        self.register_buffer("calls", torch.zeros(()))

    def encode_batch(self, x, y) -> Encoding:
        self.calls += 1
        return super().encode_batch(x, y)


def test_a_model_that_the_test_itself_changes_is_read_back_as_before_the_test(train):
    run = train(*SHORT, "model=ae", f"model._target_={__name__}.Counting")
    calls = load_model(run, trusted_config(run)).calls
    assert 0 < calls <= torch.load(run.last_checkpoint, weights_only=True)["state_dict"]["calls"]


class Rates(Callback):
    """The learning rate with which each epoch was trained."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def on_train_batch_start(self, trainer, *_) -> None:
        if trainer.is_last_batch:
            self.found.append(trainer.optimizers[0].param_groups[0]["lr"])


def test_swa_anneals_the_rate_by_epochs_as_lightning_does():
    found = []
    for in_calls in (False, True):
        model, rates = model_of("ae", data := digits()), Rates()
        if in_calls:
            model.train_in_calls(direct_steps, total_steps=15)
        average = StochasticWeightAveraging(swa_lrs=0.1, swa_epoch_start=1, annealing_epochs=3)
        trainer_with(None, average, rates, epochs=5).fit(model, datamodule=data)
        found.append(rates.found)
    own, expected = found[1], found[0]
    assert own == expected
    assert own[0] < own[1] < own[2] < own[3] == pytest.approx(0.1)
