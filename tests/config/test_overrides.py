"""Overrides and sweeps: the config that they give, and the folders of runs."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from latentlab.config import config_dir
from latentlab.errors import ConfigError
from tests.config.command_line import seen

pytestmark = pytest.mark.usefixtures("folder")


def test_a_new_argument_of_a_constructor_is_a_key_like_any_other():
    (config,) = seen("optimizer.weight_decay=0.1", "+trainer.limit_train_batches=2")
    assert config.optimizer.weight_decay == 0.1
    assert config.trainer.limit_train_batches == 2


def test_overrides_are_recorded_as_they_were_given(folder: Path):
    seen("optimizer.weight_decay=0.1", "seed=2")
    (file,) = folder.glob("outputs/runs/*/.hydra/overrides.yaml")
    assert OmegaConf.load(file) == ["optimizer.weight_decay=0.1", "seed=2"]


OTHERS = [pytest.param(model, marks=pytest.mark.long) for model in ("ae", "sparse_ae", "denoising_ae", "vae")]


@pytest.mark.parametrize("model", ["cvae", *OTHERS])
def test_every_variant_passes_with_every_network(model: str):
    for net in ("linear", "tied", "mlp", "cnn", "resnet", "rnn"):
        (config,) = seen(f"model={model}", f"net={net}")
        assert "hydra" not in config


def test_a_sweep_runs_every_combination(folder: Path):
    configs = seen("-m", "model=ae,vae", "seed=0,1")
    assert [(c.model._target_.rpartition(".")[2], c.seed) for c in configs] == [
        ("AE", 0),
        ("AE", 1),
        ("VAE", 0),
        ("VAE", 1),
    ]
    assert len(list(folder.glob("outputs/sweeps/*/model=*,seed=*/train.log"))) == 4


def test_a_key_may_fit_only_the_swept_options():
    configs = seen("-m", "likelihood=gaussian,laplace", "likelihood.learned=true")
    assert [c.likelihood.learned for c in configs] == [True, True]


def test_two_runs_started_in_the_same_second_have_folders_of_their_own(folder: Path):
    seen("seed=1")
    seen("seed=2")
    assert len(list(folder.glob("outputs/runs/*/.hydra"))) == 2


def test_the_folder_of_a_run_is_the_same_at_every_time(folder: Path):
    (config,) = seen("paths.output_dir=elsewhere")
    (run,) = folder.glob("elsewhere/runs/*")
    assert (run / "train.log").is_file()
    assert OmegaConf.to_container(config)["paths"]["run_dir"] == "${hydra:runtime.output_dir}"


def test_the_output_folder_may_be_in_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    (config,) = seen("paths.output_dir='~/own'")
    seen("-m", "paths.output_dir='~/own'", "sweep.name=s", "seed=0,1")
    assert config.paths.output_dir == str(folder / "home" / "own")
    assert {path.name for path in (folder / "home" / "own").iterdir()} == {"runs", "sweeps"}
    assert not (folder / "~").exists()


def test_configs_are_beside_the_package_or_at_the_checkouts_root(tmp_path: Path):
    package = tmp_path / "src" / "latentlab"
    package.mkdir(parents=True)
    with pytest.raises(ConfigError, match="no shipped configs"):
        config_dir(package)
    for folder in (tmp_path / "conf", package / "conf"):  # a wheel's own come first
        folder.mkdir()
        (folder / "train.yaml").touch()
        assert config_dir(package) == folder
    assert (config_dir() / "model" / "vae.yaml").is_file()
