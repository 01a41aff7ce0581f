"""With averaged weights, the run's test measures the weights that its folder gives back."""

import pytest
from lightning.pytorch import Trainer

from latentlab.training.restore import load_data, load_model, trusted_config

SHORT = ("data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=3", "callbacks=no_pictures")
AVERAGES = {
    "EMA": "{_target_:lightning.pytorch.callbacks.EMAWeightAveraging,decay:0.9}",
    "SWA": "{_target_:lightning.pytorch.callbacks.StochasticWeightAveraging,swa_lrs:0.01,swa_epoch_start:1}",
}


@pytest.mark.parametrize("average", AVERAGES)
def test_the_figures_of_the_test_are_those_of_the_model_that_is_read_back(train, average):
    run = train(*SHORT, f"+callbacks.average={AVERAGES[average]}")
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.test(load_model(run, trusted_config(run)), datamodule=load_data(run, trusted_config(run)), verbose=False)
    again = {name: trainer.callback_metrics[name].item() for name in ("test/mse", "test/elbo", "test/objective_final")}
    assert {name: run.metrics["metrics"][name] for name in again} == pytest.approx(again, rel=1e-6)
