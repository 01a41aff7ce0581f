"""What a config alone shows to be wrong is refused before the data is looked for and before a folder is made."""

import pytest
import torch


class NeedsClosure(torch.optim.SGD):
    def step(self, closure): ...


class TakesAnything(torch.optim.SGD):
    def step(self, *given, **options):
        return super().step(*given, **options)


MISTAKES = [
    (["optimizer.lr=-1"], "optimizer: Invalid learning rate: -1"),
    (["model.latent_dim=0"], "model.latent_dim: expected at least 1, found 0"),
    (["net.activation=nope"], "net.activation: "),
    (["model=cvae", "data.labels=false"], "model: cvae needs labels, the data has none"),
    (["model.beta=-1"], "model.beta: "),
    (["net=cnn", "net.channels=[0]"], "net.channels: "),
    (["likelihood=gaussian", "likelihood.scale=-1"], "likelihood.scale: "),
    (["scheduler=cosine", "scheduler.warmup=-1"], "scheduler.warmup: "),
    (["data.batch_size=0"], "data.batch_size: expected at least 1, found 0"),
    (["seed=-1"], "seed: expected 0 to 4294967295, found -1"),
    (["trainer.max_epochs=0"], "trainer.max_epochs: expected more than 0, found 0"),
    (["+trainer.max_steps=0"], "trainer.max_steps: expected at least 1, or -1 for no limit, found 0"),
    (
        ["+trainer.overfit_batches=2"],
        "trainer.overfit_batches: expected 0, as epochs differ in batches, found 2; ",
    ),
    (["trainer.devices=0"], "trainer.devices: expected at least one, found 0"),
    (["callbacks=[default,lr_monitor]", "logger=none"], "callbacks: LearningRateMonitor needs a logger, found none; "),
    (["callbacks.checkpoint.dirpath=shared"], "callbacks.checkpoint.dirpath: expected a folder within the run's own, "),
    (["trainer.default_root_dir=shared"], "trainer.default_root_dir: expected a folder within the run's own, "),
    (["callbacks.checkpoint.mode=most"], "callbacks.checkpoint: "),
    (["model._target_=os.system"], "model._target_: expected a class derived from Autoencoder, found os.system"),
    (["likelihood._target_=builtins.dict"], "likelihood: expected Likelihood, found dict"),
    (["scheduler._target_=builtins.dict"], "scheduler: expected RateSchedule, found dict"),
    (
        ["scheduler._target_=torch.optim.lr_scheduler.ReduceLROnPlateau", "+scheduler._partial_=true"],
        "scheduler: expected RateSchedule, found torch.optim.lr_scheduler.ReduceLROnPlateau",
    ),
    (
        ["optimizer=sgd", "optimizer._target_=tests.training.test_checks.NeedsClosure"],
        "optimizer: expected one whose step() needs no closure, such as optimizer=adam or sgd, found NeedsClosure (",
    ),
    (
        ["+callbacks.lr._target_=lightning.pytorch.callbacks.LearningRateFinder"],
        "callbacks: LearningRateFinder cannot be used in a run; search optimizer.lr",
    ),
    (
        ["+callbacks.x={_target_:lightning.pytorch.callbacks.GradientAccumulationScheduler,scheduling:{4:2}}"],
        "callbacks: GradientAccumulationScheduler cannot be used in a run; set trainer.accumulate_grad_batches",
    ),
    (["data._target_=builtins.dict"], "data: expected ImageDataModule, found dict"),
]


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES)
def test_a_mistake_is_answered_without_the_data_and_leaves_no_folder(folder, run_hydra, capfd, arguments, expected):
    assert run_hydra([*arguments, "data.root=missing"]) == 1
    out, err = capfd.readouterr()
    assert err.startswith(f"error: {expected}")
    assert (out, err.count("\n")) == ("", 1)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("callbacks", "is_warned"), [("early_stopping", True), ("[default,early_stopping]", False), ("no_pictures", False)]
)
def test_callbacks_in_place_of_the_default_ones_are_warned_of(train, capfd, callbacks, is_warned):
    """Those keep the weights of the best epoch."""
    tiny = ("data=digits", "data.image_size=8", "net.widths=[8]", "trainer.max_epochs=1", "logger=none")
    run = train(*tiny, f"callbacks={callbacks}")
    assert ("none of them keeps the weights of the best epoch" in capfd.readouterr().out) == is_warned
    assert run.metrics["status"] == "complete"


def test_an_optimizer_that_takes_any_arguments_is_one(train):
    own = ("optimizer=sgd", "optimizer._target_=tests.training.test_checks.TakesAnything")
    run = train("data=digits", "data.image_size=8", "net.widths=[8]", "trainer.max_epochs=1", "logger=none", *own)
    assert run.metrics["status"] == "complete"


def test_a_job_of_a_sweep_is_refused_before_its_data_too(sweep, capfd):
    status, runs = sweep("model.latent_dim=0,2", "data.root=missing")
    assert status == 1
    reasons = {run.status["reason"].partition(":")[0] for run in runs.values()}
    assert reasons == {"ConfigError", "MissingData"}
