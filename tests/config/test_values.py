"""A config whose values are set on a copy is the one that Hydra composes, and Hydra composes it once per choice."""

import os
from copy import deepcopy

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf

from latentlab.config import config_dir
from latentlab.config.composition import CheckedLoader
from latentlab.config.hydra_internals import ComposingLoader, hydra_of, search_path
from latentlab.config.keys import Groups
from latentlab.config.values import state_of, with_values

OVERRIDES = [
    [],
    ["seed=3"],
    ["model=sparse_ae", "model.latent_dim=7", "hydra.run.dir=a/b"],
    ["model=cvae", "net=cnn", "likelihood=gaussian", "likelihood.learned=true", "seed=1", "seed=2"],
    ["model.latent_dim='3'", "paths.output_dir='a=b,c'", "data=digits"],
    ["net.encoder.widths=[100,50]", "trainer=smoke", "callbacks=no_pictures", "logger=none"],
    ["model=denoising_ae", "model/corruption=masking", "model.corruption.p=${model.latent_dim}"],
    ["scheduler={_target_: latentlab.functional.schedules.ConstantRate}"],
    ["hydra.job.name=x", "hydra.job.chdir=false", "hydra.job.env_copy=[HOME]", "optimizer.lr=1e-2"],
    ["hydra.job.config.override_dirname.exclude_keys=[seed]", "seed=1", "model=ae", "quiet=true"],
    ["hydra/launcher=joblib", "hydra.launcher.n_jobs=3", "sweep.name=null"],
    ["hydra.run.dir=a/b", "hydra.run={dir:c}"],
    ["hydra.sweep={dir:q}", "hydra.sweep.dir=z"],
    ["+trainer.limit_train_batches=2", "~callbacks.samples", "seed=5"],
]


def composed(loader, overrides):
    with hydra_of(loader, "train"):
        return loader.load_configuration("train", overrides, RunMode.RUN)


def checked_loader(extra=None) -> CheckedLoader:
    return CheckedLoader(search_path(config_dir(), extra), "name", checks=False)


SHORTER = [pytest.param(o, marks=pytest.mark.long) if k % 2 else o for k, o in enumerate(OVERRIDES)]


@pytest.mark.parametrize("overrides", SHORTER, ids=" ".join)
def test_it_is_the_config_that_hydra_composes(overrides, tmp_path, monkeypatch):
    composed(checked_loader(), [o for o in overrides if not o.startswith("seed")])
    monkeypatch.chdir(tmp_path)
    expected = composed(ComposingLoader(search_path(config_dir(), None)), overrides)
    for _ in range(2):  # made, and kept
        found = composed(checked_loader(), overrides)
        assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(expected)
        assert found == expected
        assert OmegaConf.is_struct(found)
        assert not OmegaConf.is_readonly(found.hydra)
        assert OmegaConf.get_type(found.hydra.job) == OmegaConf.get_type(expected.hydra.job)
        found.seed = 10  # its own: the kept one stays


def test_jobs_that_differ_in_values_are_composed_once():
    loader, calls = ComposingLoader(search_path(config_dir(), None)), []

    def compose(overrides):
        calls.append(overrides)
        return composed(loader, overrides)

    groups, state = Groups.of(loader), (object(),)
    for model in ("ae", "vae"):
        for seed in range(5):
            overrides = OverridesParser.create().parse_overrides([f"model={model}", f"seed={seed}"])
            config = with_values(compose, overrides, groups, state)
            assert (config.seed, config.hydra.overrides.task) == (seed, [f"model={model}", f"seed={seed}"])
    assert calls == [["model=ae"], ["model=vae"]]


def test_a_second_command_of_the_same_process_is_not_composed_anew(run_hydra, monkeypatch, capfd):
    assert run_hydra(["data=digits", "seed=1", "--cfg", "job"]) == 0

    def refuse(self, *arguments, **named):
        raise AssertionError("Hydra composes")

    monkeypatch.setattr(ComposingLoader, "load_configuration", refuse)
    assert run_hydra(["data=digits", "seed=2", "--cfg", "job"]) == 0
    assert "seed: 2" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("mistyped", "name"), [("model.latent_dimm=3", "model.latent_dimm"), ("modell.latent_dim=3", "modell")]
)
def test_a_mistyped_key_is_named_without_composing_anew(run_hydra, monkeypatch, capfd, mistyped, name):
    assert run_hydra(["data=digits", "--cfg", "job"]) == 0
    monkeypatch.setattr(ComposingLoader, "load_configuration", lambda self, *a, **k: pytest.fail("Hydra composes"))
    assert run_hydra(["data=digits", mistyped, "seed=2"]) == 1
    assert capfd.readouterr().err.startswith(f"error: {name}: unknown")


def test_an_edited_file_counts_in_the_next_command(tmp_path):
    file = tmp_path / "model" / "own.yaml"
    file.parent.mkdir()
    for text, dim in (("latent_dim: 5", 5), ("latent_dim: 11", 11)):
        file.write_text(f"defaults: [vae]\n{text}\n")
        assert composed(checked_loader(tmp_path), ["model=own"]).model.latent_dim == dim


def test_a_file_of_the_same_size_and_another_time_counts_too(tmp_path):
    file = tmp_path / "model" / "own.yaml"
    file.parent.mkdir()
    for second, dim in ((1, 5), (2, 6)):
        file.write_text(f"defaults: [vae]\nlatent_dim: {dim}\n")
        os.utime(file, (second, second))
        assert composed(checked_loader(tmp_path), ["model=own"]).model.latent_dim == dim


def test_a_link_to_nothing_beside_the_files_does_not_matter(tmp_path):
    (tmp_path / "unused.yaml").symlink_to(tmp_path / "nothing")
    assert composed(checked_loader(tmp_path), ["model=ae"]).model._target_.endswith(".AE")


def test_hydras_own_node_cannot_be_replaced(run_hydra, capfd):
    assert run_hydra(["hydra=null", "--cfg", "job"]) == 1
    assert capfd.readouterr().err.startswith("error: hydra")


def test_a_stored_config_that_is_replaced_counts(monkeypatch):
    store, states = ConfigStore.instance(), []
    monkeypatch.setattr(store, "repo", deepcopy(store.repo))
    for dim in (5, 6):
        store.store(group="model", name="stored_here", node={"latent_dim": dim})
        states.append(state_of(Groups.of(checked_loader())))
    assert states[0] != states[1]
