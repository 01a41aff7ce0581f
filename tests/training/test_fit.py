"""One run, through the real entry point: its folder, its metrics, its mistakes."""

import json
import os
import shutil

import pytest
import torch

from latentlab.runs import Run
from latentlab.runs.identity import config_hash
from latentlab.training.checks import timer_of
from latentlab.training.restore import load_model, trusted_config
from tests.forked import Forked

DIGITS = ["data=digits", "data.image_size=8", "trainer=cpu", "trainer.max_epochs=2", "callbacks=no_pictures"]
VARIANTS = ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"]


def test_a_run_folder_holds_everything_about_the_run(train):
    run = train(*DIGITS, "callbacks=default", "model=vae")
    assert {"resolved.yaml", "config.yaml", "overrides.yaml"} <= {p.name for p in (run.folder / ".hydra").iterdir()}
    assert run.best_checkpoint
    assert run.last_checkpoint
    assert len(run.figures) == 4
    assert list(run.folder.glob("events.out.tfevents.*"))
    assert run.status["status"] == "complete"
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics.keys() >= {
        *(
            "status",
            "metrics",
            "seed",
            "git_revision",
            "versions",
            "device",
            "train_seconds",
            "test_seconds",
            "wall_seconds",
        ),
        *("threads", "epochs", "steps", "parameters", "config_hash"),
    }
    assert metrics["config_hash"] == config_hash(run.config)
    assert (metrics["epochs"], metrics["steps"], metrics["seed"]) == (2, 22, 0)


@pytest.mark.parametrize("model", VARIANTS)
def test_every_variant_reports_the_yardstick_beside_its_objective(train, model):
    metrics = train(*DIGITS, f"model={model}").metrics["metrics"]
    assert metrics.keys() >= {"test/objective", "test/reconstruction", "test/mse", "test/bce"}
    has_posterior = model in ("vae", "cvae")
    assert ({"test/kl", "test/elbo"} <= metrics.keys()) == has_posterior
    if has_posterior:
        assert metrics["test/elbo"] == pytest.approx(-metrics["test/reconstruction"] - metrics["test/kl"], rel=1e-6)
    extra = {
        "sparse_ae": {"test/active_fraction", "test/dead_unit_share", "test/variance_explained"},
        "denoising_ae": {"test/psnr_mean", "test/psnr_of_mean", "test/ssim", "test/ssim_clipped_input"},
    }
    assert metrics.keys() >= extra.get(model, set())


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(train):
    weights = [_weights(train(*DIGITS, f"seed={seed}", folder=f"run{i}")) for i, seed in enumerate([3, 3, 4])]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU")
@pytest.mark.skipif(
    os.environ.get("ATEN_CPU_CAPABILITY") == "default",
    reason="torch.compile writes code of vectors only",
)
def test_a_compiled_run_reports_what_an_eager_one_reports(train, unchecked):
    """After one step: over many, the rounding of another order of sums grows."""
    step = [*DIGITS, "net=linear", "optimizer=sgd", "optimizer.lr=1e-3", "trainer.limit_train_batches=1"]
    eager, compiled = (train(*step, f"trainer.compile={on}", folder=on) for on in ("false", "true"))
    assert compiled.metrics["metrics"] == pytest.approx(eager.metrics["metrics"], rel=1e-4)
    assert _weights(compiled).keys() == _weights(eager).keys()


def test_half_precision_is_an_option_that_leaves_the_metrics_alone(train):
    full, half = (train(*DIGITS, f"trainer.precision={p}", folder=p) for p in ("32-true", "bf16-mixed"))
    assert half.metrics["metrics"]["test/elbo"] == pytest.approx(full.metrics["metrics"]["test/elbo"], rel=0.02)


def test_training_lowers_the_validation_objective(train):
    short, long = (train(*DIGITS, f"trainer.max_epochs={n}", folder=f"run{n}") for n in (1, 8))
    assert _objective(long) < 0.9 * _objective(short)


def test_validation_weighs_the_terms_as_training_does(train):
    run = train(*DIGITS, "model=vae", "model.beta=3", "model/kl_schedule=linear", "model.kl_schedule.steps=1000000")
    metrics = run.metrics["metrics"]
    # 22 of a million steps: the KL weighs nothing yet, and the selecting objective weighs it in full
    assert metrics["test/objective"] == pytest.approx(metrics["test/reconstruction"], rel=1e-3)
    expected = metrics["test/reconstruction"] + 3 * metrics["test/kl"]
    assert metrics["test/objective_final"] == pytest.approx(expected, rel=1e-6)


def test_the_model_is_read_back_from_its_folder_without_its_data(train):
    run = train(*DIGITS, "model=cvae")
    model = load_model(run, trusted_config(run))
    assert model.decode_parameters(torch.zeros(2, 20), torch.tensor([3, 7])).shape == (2, 1, 8, 8)
    saved = torch.load(run.best_checkpoint, weights_only=True)["state_dict"]
    assert all(torch.equal(saved[name], value) for name, value in model.state_dict().items())


def test_another_filename_of_the_checkpoint_is_recorded_and_restored(train):
    run = train(*DIGITS, "model=ae", "callbacks.checkpoint.filename=chosen", "callbacks.checkpoint.mode=max")
    assert run.metrics["checkpoint"] == "checkpoints/chosen.ckpt"
    tested = torch.load(run.folder / "checkpoints" / "chosen.ckpt", weights_only=True)["state_dict"]
    assert all(
        torch.equal(tested[name], value) for name, value in load_model(run, trusted_config(run)).state_dict().items()
    )
    last = _weights(run)
    assert not all(torch.equal(last[name], value) for name, value in tested.items())


def test_a_run_whose_objective_explodes_names_step_term_and_checkpoint(train, capfd):
    run = train(*DIGITS, "model=ae", "likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e3", status=1)
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert "train/objective is not finite at step" in error
    assert run.metrics is None
    assert run.status["status"] == "failed"
    assert "NonFiniteObjective" in run.status["reason"]


def test_binarised_pixels_under_a_density_are_warned_of(train, capfd):
    train(*DIGITS, "likelihood=gaussian", "data.binarize=threshold", "trainer=smoke")
    assert "likelihood=bernoulli fits them" in capfd.readouterr().out


PARTS = {
    "trainer=smoke": ["limit_train_batches=2", "limit_val_batches=2", "limit_test_batches=2"],
    "trainer.limit_test_batches=1": ["limit_test_batches=1"],
    "+trainer.fast_dev_run=true": ["fast_dev_run=True"],
    "trainer.limit_val_batches=1.0": [],
}


@pytest.mark.parametrize("option", PARTS)
def test_a_run_on_a_part_of_the_data_says_so(train, capfd, option):
    run = train(*DIGITS, option, "trainer.max_epochs=1")
    assert run.metrics["partial_data"] == PARTS[option]
    line = f"on a part of the data ({', '.join(PARTS[option])}): reports leave this run out"
    assert (line in capfd.readouterr().out) == bool(PARTS[option])


@pytest.mark.parametrize(("options", "warns"), [((), True), (("model.beta=2",), False)])
def test_a_recipe_of_a_sweep_that_is_trained_as_one_run_is_warned_of(train, capfd, options, warns):
    train("experiment=beta", *DIGITS, "evaluate=none", "trainer.max_epochs=1", *options)
    line = "this trains one model of a sweep over model.beta=0.1,0.25,0.5,1,2,4,8; all of them: latentlab train -m"
    assert (line in capfd.readouterr().out) == warns


MISTAKES = {
    "model.penalty.k": ["model=sparse_ae", "model/penalty=topk", "model.latent_dim=8", "model.penalty.k=9"],
    "cvae needs labels": ["model=cvae", "data.labels=false"],
    "net.widths": ["net=cnn", "net.widths=[8,8,8,8,8,8]"],
    "net.activation": ["net.activation=rellu"],
    "data.batch_size": ["data.batch_size=0"],
    "model.corruption.p": ["model=denoising_ae", "model/corruption=masking", "model.corruption.p=1.5"],
    "model.latent_dim": ["model.latent_dim=0"],
    "trainer.max_epochs": ["trainer.max_epochs=0"],
    "trainer.limit_train_batches": ["trainer.limit_train_batches=0"],
    "trainer.check_val_every_n_epoch": ["trainer.check_val_every_n_epoch=0"],
    "trainer.devices: expected at most": ["trainer.devices=99"],
    "trainer: `devices`": ["trainer.devices=two"],
    "trainer.max_time: expected days:hours:minutes:seconds": ["trainer.max_time=foo"],
    "such as 00:01:30:00, or {minutes: 90}, found 00:00:00:00": ["trainer.max_time=00:00:00:00"],
    "trainer.min_epochs: expected at most trainer.max_epochs, 2, found 3": ["+trainer.min_epochs=3"],
    "trainer.min_steps: expected at most trainer.max_steps, 1, found 2": [
        "trainer.max_steps=1",
        "+trainer.min_steps=2",
    ],
    "trainer.max_time: expected": ["trainer.max_time={foo:1}"],
    "trainer.gradient_clip_algorithm: expected norm or value": ["trainer.gradient_clip_algorithm=length"],
    "float32; expected 32-true, bf16-mixed or 16-mixed, found 64": ["trainer.precision=64-true"],
    "trainer.precision: images, noise and parameters": ["trainer.precision=bf16-true"],
    "seed: expected 0 to 4294967295, found -1": ["seed=-1"],
    "optimizer: Invalid learning rate: -1": ["optimizer.lr=-1"],
    "model.beta": ["model.beta=-1"],
    "model.free_bits": ["model=cvae", "model.free_bits=-1"],
    "model.free_bits: expected 0 with a prior": ["model/prior=mixture", "model.free_bits=0.1"],
    "model.free_bits: expected 0 with an importance-weighted": ["model/bound=iwae", "model.free_bits=0.1"],
    "model.beta: expected 1 with an importance-weighted": ["model=cvae", "model/bound=dreg", "model.beta=2"],
    "model.bound.samples: expected at least 1": ["model/bound=dreg", "model.bound.samples=0"],
    "model.bound.gradient_samples: expected at least 1": ["model/bound=iwae", "model.bound.gradient_samples=0"],
    "model.prior.components: expected at least 1": ["model/prior=mixture", "model.prior.components=0"],
    "model.prior.layers: expected at least 1": ["model=cvae", "model/prior=flow", "model.prior.layers=0"],
    "model.prior: expected standard, label": ["model=cvae", "model/prior=vampprior"],
    "model.prior: expected standard, mixture": ["model=vae", "model/prior=label"],
    "model.kl_schedule.steps": ["model/kl_schedule=linear", "model.kl_schedule.steps=0"],
    "trainer: `val_check_interval` (100) must be": ["+trainer.val_check_interval=100"],
    "trainer: Early stopping conditioned on metric `nothing`": [
        "+callbacks.stop={_target_:lightning.pytorch.callbacks.EarlyStopping,monitor:nothing}"
    ],
    "logger.comet: Requirement 'comet-ml": ["+logger.comet._target_=lightning.pytorch.loggers.CometLogger"],
    "callbacks.x: expected Callback, found str": ["+callbacks.x._target_=os.getcwd"],
    "trainer.limit_train_batches: expected a fraction up to 1.0": ["trainer.limit_train_batches=1.5"],
    "data.image_size: expected at most 64, found 65": ["data.image_size=65"],
    "could not find the monitored key": ["callbacks.checkpoint.monitor=nothing"],
}


@pytest.mark.parametrize("named", MISTAKES)
def test_an_impossible_choice_is_one_line_that_names_it(train, capfd, named):
    run = train(*DIGITS, *MISTAKES[named], status=1)
    output, error = capfd.readouterr()
    assert "Traceback" not in error
    assert [line for line in error.splitlines() if line.startswith("error: ") and named in line]
    assert named not in output, "reported twice"
    assert run.metrics is None


def test_no_algorithm_of_clipping_is_the_norm(train):
    clipped = [*DIGITS, "trainer.gradient_clip_val=0.01", "trainer.limit_train_batches=3"]
    named, unnamed, other = (
        train(*clipped, f"trainer.gradient_clip_algorithm={name}", folder=name).metrics["metrics"]
        for name in ("norm", "null", "value")
    )
    assert named == unnamed != other


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, None), ("00:01:30:00", 5_400), ("10:00:00:01", 864_001), ({"minutes": 90}, 5_400)],
)
def test_a_limit_of_time_is_written_as_lightning_writes_it(given, seconds):
    assert timer_of({"max_time": given}).time_remaining() == seconds


def test_epochs_before_the_first_validation_are_nothing_to_be_warned_of(tmp_path):
    """In a process of its own, as Lightning warns once in each."""
    arguments = [*DIGITS, "trainer.check_val_every_n_epoch=2", f"hydra.run.dir={tmp_path / 'run'}"]
    status, output = Forked("train", *arguments).finish()
    assert status == 0, output
    assert "monitored key" not in output


def test_a_run_that_validates_nothing_ends_with_its_last_weights(train):
    metrics = train(*DIGITS, "trainer.limit_val_batches=0").metrics["metrics"]
    assert "test/elbo" in metrics
    assert "val/objective_final" not in metrics


def test_more_memory_than_there_is_is_one_line(train, capfd):
    train(*DIGITS, "model.latent_dim=100000000000", status=1)
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert "error: out of memory; lower data.batch_size, model.latent_dim" in error


def test_a_run_without_a_last_epoch_is_not_resumed(train, capfd):
    run = train(*DIGITS, "logger=none")
    train(*DIGITS, "logger=none", f"resume={run.folder}", "trainer.max_epochs=null", status=1)
    assert "error: trainer.max_epochs: expected at least 1, found null" in capfd.readouterr().err
    assert run.status["status"] == "complete"


def test_a_run_whose_folder_is_deleted_ends_and_does_not_make_it_again(train, capfd):
    run = train(*DIGITS, "logger=none", "+callbacks.delete._target_=tests.faults.causes.DeleteFolder", status=1)
    assert f"error: {run.folder} has been deleted" in capfd.readouterr().err
    assert not run.folder.exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, run_hydra, capfd):
    blocker = tmp_path / "file"
    blocker.touch()
    assert run_hydra([*DIGITS, f"hydra.run.dir={blocker}/run"]) == 1
    error = capfd.readouterr().err
    assert "Traceback" not in error
    assert str(blocker) in error


def test_bfloat16_is_named_where_the_processor_has_it_and_the_run_does_not_use_it(train, capfd, monkeypatch):
    for has_it, arguments in ((True, []), (True, ["trainer.precision=bf16-mixed"]), (False, [])):
        monkeypatch.setattr("latentlab.commands.job.has_bfloat16", lambda has_it=has_it: has_it)
        capfd.readouterr()
        train(*DIGITS, "trainer.max_epochs=1", "quiet=false", *arguments, folder=f"{has_it}{len(arguments)}")
        assert ("trainer=cpu_bf16" in capfd.readouterr().out) == (has_it and not arguments)


def _weights(run: Run) -> dict[str, torch.Tensor]:
    return torch.load(run.last_checkpoint, weights_only=True)["state_dict"]


def _objective(run: Run) -> float:
    return run.metrics["metrics"]["val/objective_final"]
