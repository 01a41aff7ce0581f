"""Every shipped config is a test case: it is composed, validated by signatures, and trains for two batches."""

from pathlib import Path

import pytest

from latentlab.runs import Run

CONF = Path(__file__).parents[1] / "conf"
TINY = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=none", "callbacks=no_pictures"]


def options(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


def with_group(group: str) -> list[list[str]]:
    return [[f"{group}={option}"] for option in options(group)]


SELECTIONS = [  # besides model and net, which tests/test_smoke_matrix.py has
    *([*owner, *choice] for owner in [["model=sparse_ae"]] for choice in with_group("model/penalty")),
    *([*owner, *choice] for owner in [["model=denoising_ae"]] for choice in with_group("model/corruption")),
    *([*owner, *choice] for owner in [["model=vae"]] for choice in with_group("model/kl_schedule")),
    *([*owner, *choice] for owner in [["model=vae"], ["model=cvae"]] for choice in with_group("model/bound")),
    *(["model=vae", f"model/prior={option}"] for option in options("model/prior") if option != "label"),
    *(["model=cvae", f"model/prior={option}"] for option in ("standard", "label", "flow")),
    *with_group("likelihood"),
    *with_group("optimizer"),
    *with_group("scheduler"),
]


@pytest.mark.slow
@pytest.mark.parametrize("selection", SELECTIONS, ids=" ".join)
def test_a_shipped_selection_of_components_trains(train, selection):
    run = train(*TINY, *selection, "trainer.max_epochs=1")
    assert run.status["status"] == "complete"
    assert run.metrics["steps"] == 2


BESIDE_DEFAULT = ("early_stopping", "ema", "lr_monitor")


@pytest.mark.slow
@pytest.mark.parametrize("option", options("callbacks"))
def test_shipped_callbacks_run(train, option):
    chosen = f"[default,{option}]" if option in BESIDE_DEFAULT else option
    run = train(*TINY, "logger=tensorboard", f"callbacks={chosen}", "model=vae", "trainer.limit_val_batches=1.0")
    assert option not in BESIDE_DEFAULT or option in run.config.callbacks
    assert bool(run.figures) == (option != "no_pictures")


@pytest.mark.parametrize("option", options("logger"))
def test_shipped_loggers_run(train, option, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert train(*TINY, f"logger={option}").metrics is not None


@pytest.mark.parametrize("option", [name for name in options("trainer") if name not in ("gpu", "ddp")])
def test_shipped_trainers_run(train, option):
    run = train(*TINY[:2], *TINY[3:], f"trainer={option}", "trainer.accelerator=cpu", "trainer.max_epochs=1")
    assert run.metrics["epochs"] == 1


@pytest.mark.parametrize("option", ["gpu", "ddp"])
def test_shipped_trainers_for_other_machines_compose_and_are_valid(run_hydra, option, capsys):
    assert run_hydra([f"trainer={option}", "--cfg", "job"]) == 0
    assert "_target_: lightning.pytorch.Trainer" in capsys.readouterr().out


# tests/test_own_data.py and tests/data/test_torchvision_any.py read them
NEEDED = {
    "folder": ["data.root=pictures"],
    "arrays": ["data.file=images.npz"],
    "torchvision": ["data.dataset=SVHN"],
}


@pytest.mark.parametrize("option", options("data"))
def test_shipped_data_sets_compose_and_name_an_existing_datamodule(run_hydra, option, capsys):
    assert run_hydra([f"data={option}", *NEEDED.get(option, []), "--cfg", "job"]) == 0
    assert "DataModule" in capsys.readouterr().out


SHORT = [
    *("data=digits", "data.image_size=8", "logger=none", "callbacks=no_pictures", "trainer.max_epochs=1"),
    *("trainer.limit_train_batches=2", "trainer.limit_val_batches=2", "trainer.limit_test_batches=2"),
]


CORNERS = {
    "beta": ["model.beta=.1,8", "evaluate=none"],
    "code_size": ["net.widths=[256],[1024,1024]", "model.latent_dim=2", "evaluate=none"],
    "iwae": ["initial_weights=null"],
    "order": ["model=ae,vae", "model.latent_dim=8"],
}


LONGER = ("beta", "code_size")  # sweeps as `order`, whose parts other recipes have


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", [pytest.param(o, marks=pytest.mark.long) if o in LONGER else o for o in options("experiment")]
)
def test_a_recipe_runs_short_and_its_header_has_its_command_duration_and_metrics(run_hydra, option, outputs, tmp_path):
    header = [line for line in (CONF / "experiment" / f"{option}.yaml").read_text().splitlines() if "#" in line]
    assert any(option in line for line in header[1:])
    assert all(any(word in line for line in header) for word in ("Two CPU cores:", "Expect"))
    is_sweep = any(f"latentlab train -m experiment={option}" in line for line in header)
    folder = [f"hydra.sweep.dir={tmp_path}"] if is_sweep else [f"hydra.run.dir={tmp_path}/run"]
    arguments = [*SHORT, *CORNERS.get(option, []), f"paths.output_dir={outputs}", *folder]
    assert run_hydra([*(["-m"] if is_sweep else []), f"experiment={option}", *arguments]) == 0
    runs = [Run(file.parent) for file in tmp_path.rglob("metrics.json")]
    assert len(runs) > 1 if is_sweep else len(runs) == 1
    assert (tmp_path / "report.html").is_file() == is_sweep
    for run in runs:
        assert run.metrics["steps"] == 2
        assert ("evaluation" in run.metrics) == (run.config.evaluate != "none")


FEWER = {
    "check": ["model=ae,vae", "seed=0"],
    "variants": ["model=ae,cvae", "seed=0"],
    "vae_search": ["hydra.sweeper.trials=2"],
}


@pytest.mark.slow
@pytest.mark.parametrize("option", options("sweep"))
def test_a_sweep_recipe_runs_short_and_ends_in_a_report(run_hydra, option, outputs, tmp_path):
    header = [line for line in (CONF / "sweep" / f"{option}.yaml").read_text().splitlines() if "#" in line]
    assert any("Two CPU cores:" in line for line in header)
    folders = [f"paths.output_dir={outputs}", f"hydra.sweep.dir={tmp_path}"]
    assert run_hydra(["-m", f"sweep={option}", *SHORT, *FEWER[option], *folders]) == 0
    assert len(list(tmp_path.glob("*/metrics.json"))) == 2
    assert (tmp_path / "report.html").is_file()
