"""When two configs are the same experiment: one list of what does not count, and everything else counts."""

import copy

import pytest
from omegaconf import OmegaConf

from latentlab.runs.identity import config_hash, differences, flat, identifying, override_key

CONFIG = {
    **{"seed": 0, "resume": None, "quiet": None, "evaluate": "none", "sweep": {"name": None}},
    "model": {"_target_": "latentlab.models.vae.VAE", "beta": 1.0},
    "data": {"root": "data", "batch_size": 128},
    "trainer": {"max_epochs": 3, "default_root_dir": "outputs"},
    "optimizer": {"lr": 0.001, "fused": True},
    "paths": {"output_dir": "outputs"},
    "logger": {"csv": {"name": "mine"}},
    "callbacks": {
        "checkpoint": {"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "dirpath": "a", "monitor": "val/mse"},
        "samples": {"_target_": "latentlab.training.callbacks.samples.Samples", "every_n_epochs": 5},
        "own": {"_target_": "latentlab.training.callbacks.history.History", "patience": 1},
        "absent": None,
    },
}


def changed(key, value):
    config = copy.deepcopy(CONFIG)
    *parents, last = key.split(".")
    node = config
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value
    return config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("resume", "folder"), ("quiet", True), ("evaluate", "full"), ("sweep.name", "x"), ("paths.output_dir", "b")],
        *[
            ("data.root", "elsewhere"),
            ("trainer.default_root_dir", "b"),
            ("logger.csv", None),
            ("logger.wandb.name", "x"),
        ],
        *[("callbacks.checkpoint.dirpath", "b"), ("callbacks.samples.every_n_epochs", 1), ("callbacks.samples", None)],
        *[("callbacks.pruning.trial", 3), ("callbacks.interruption._target_", "x"), ("callbacks.another", None)],
        *[("model.beta", 1), ("optimizer.lr", 1e-3)],
    ],
)
def test_what_cannot_change_a_result_makes_no_other_experiment(key, value):
    assert config_hash(changed(key, value)) == config_hash(CONFIG)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[
            ("seed", 1),
            ("model.beta", 2.0),
            ("data.batch_size", 64),
            ("trainer.max_epochs", 4),
            ("optimizer.fused", False),
        ],
        *[("callbacks.checkpoint.monitor", "val/bce"), ("callbacks.checkpoint", None), ("callbacks.own.patience", 2)],
        *[
            ("callbacks.another._target_", "latentlab.training.callbacks.other.Other"),
            ("callbacks.mine._target_", "x.Y"),
        ],
        *[("samples", 1), ("model.paths", "x"), ("loggers", "x"), ("callbacks.samples_of_mine._target_", "x.Y")],
    ],
)
def test_everything_else_makes_another_experiment(key, value):
    assert config_hash(changed(key, value)) != config_hash(CONFIG)


def test_a_config_counts_alike_nested_flat_and_as_omegaconf_holds_it():
    config = OmegaConf.create({**CONFIG, "data": {"root": "x", "batch_size": 128, "seed": "${seed}"}})
    plain = changed("data.seed", 0)
    assert config_hash(config) == config_hash(plain) == config_hash(flat(plain))
    assert identifying(config)["data.seed"] == 0


def test_further_keys_can_be_left_out_such_as_the_seed():
    assert config_hash(changed("seed", 7), without={"seed"}) == config_hash(CONFIG, without={"seed"})


@pytest.mark.parametrize(
    ("override", "key"),
    [
        *[
            ("model.beta=2", "model.beta"),
            ("model/penalty=topk", "model.penalty"),
            ("+callbacks.a.b=c=d", "callbacks.a.b"),
        ],
        *[("~callbacks.samples", "callbacks.samples"), ("++x=1", "x"), ("logger@a.b=csv", "logger"), ("", "")],
    ],
)
def test_the_key_of_an_override(override, key):
    assert override_key(override) == key


def test_what_differs_is_listed_by_key_those_of_few_parts_first():
    a = {"seed": 0, "model": {"beta": 1, "deep": {"x": 1}}, "quiet": True}
    b = {"seed": 1, "model": {"beta": 1.0, "deep": {"x": 2}}, "quiet": False, "name": "other"}
    assert list(differences(a, b).items()) == [("seed", (0, 1)), ("model.deep.x", (1, 2))]
    assert differences(a, a) == {}
