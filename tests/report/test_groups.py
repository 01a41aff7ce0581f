"""Runs grouped by config without seed, named by what varies."""

import json

from latentlab.report.content import Content
from latentlab.report.reading.groups import grouped, shown
from latentlab.report.reading.records import read_record
from latentlab.report.reading.run_sets import read_sweep
from tests.report.run_folders import write_run


def groups_of(tmp_path, *runs):
    records = []
    for index, (seed, changes) in enumerate(runs):
        folder = write_run(tmp_path / f"run{index}", {"mse": float(index)}, seed, changes)
        records.append(read_record(folder, folder.name))
    return grouped(records)


def test_seeds_share_a_group_and_betas_do_not(tmp_path):
    found = groups_of(tmp_path, *((seed, {"model.beta": beta}) for beta in (2.0, 1.0) for seed in (1, 0)))
    assert found.keys == ("model.beta",)
    assert [group.name for group in found.groups] == ["beta=1", "beta=2"]
    assert [record.seed for record in found.groups[0].records] == [0, 1]
    assert found.groups[0].values("test/mse") == {0: 3.0, 1: 2.0}


def test_1_and_1_0_are_one_value(tmp_path):
    assert len(groups_of(tmp_path, (0, {"model.beta": 1}), (1, {"model.beta": 1.0})).groups) == 1


def test_a_variant_is_named_by_its_class_and_adds_no_columns_of_its_parts(tmp_path):
    ae = {"model._target_": "latentlab.models.ae.AE", "model.beta": None}
    found = groups_of(tmp_path, (0, {}), (0, ae))
    assert found.keys == ("model",)
    assert [group.name for group in found.groups] == ["AE", "VAE"]


def test_any_other_difference_in_the_config_separates_groups(tmp_path):
    found = groups_of(tmp_path, (0, {"data.image_size": 8}), (0, {"data.image_size": 28}))
    assert [group.name for group in found.groups] == ["image_size=8", "image_size=28"]


def test_paths_loggers_and_dependent_seeds_separate_no_groups(tmp_path):
    changes = {"data.root": "elsewhere", "logger.csv": {"name": "other"}, "trainer.default_root_dir": "there"}
    found = groups_of(tmp_path, (0, {}), (1, changes))
    assert len(found.groups) == 1
    assert found.groups[0].name == "VAE"


def test_runs_on_other_images_of_the_same_name_are_another_group(tmp_path):
    records = []
    for index, (seed, fingerprint) in enumerate([(0, "12ab"), (1, "12ab"), (0, "34cd")]):
        folder = write_run(tmp_path / f"run{index}", {"mse": float(index)}, seed)
        content = json.loads((folder / "metrics.json").read_text())
        (folder / "metrics.json").write_text(json.dumps(content | {"data_fingerprint": fingerprint}))
        records.append(read_record(folder, folder.name))
    records.append(read_record(write_run(tmp_path / "begun", None, 5, status="interrupted"), "begun"))
    found = grouped(records)
    assert [group.name for group in found.groups] == ["fingerprint=12ab", "fingerprint=34cd"]
    assert [len(group.records) for group in found.groups] == [3, 1]
    assert found.groups[0].values("test/mse") == {0: 0.0, 1: 1.0}


def test_the_same_seed_twice_counts_once(tmp_path):
    found = groups_of(tmp_path, (0, {}), (0, {}), (1, {}))
    assert found.groups[0].values("test/mse") == {0: 0.5, 1: 2.0}


def test_runs_of_one_config_and_seed_with_other_metrics_are_named(tmp_path):
    folders = [write_run(tmp_path / f"runs/{name}", {"mse": mse}, 0) for name, mse in (("a", 0.1), ("b", 0.2))]
    write_run(tmp_path / "runs/c", {"mse": 0.1}, 1)
    file = folders[1] / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"versions": {"torch": "2.9"}}))
    expected = "have one config and one seed, but different metrics (versions differ); a seed counts once"
    assert f"a and b {expected}, with the mean of its runs" in Content.of(read_sweep(tmp_path / "runs"), None).notes


def test_names_are_unique_where_values_have_the_same_text(tmp_path):
    found = groups_of(tmp_path, (0, {"optimizer.lr": 0.00100001}), (0, {"optimizer.lr": 0.00100002}))
    assert [group.name for group in found.groups] == ["lr=0.001", "lr=0.001 (2)"]


def test_settings_as_text():
    assert [shown(value) for value in (None, True, 1.0, 2e-05, "mlp", [512, 512])] == [
        *("none", "true", "1", "2e-05", "mlp", "[512, 512]")
    ]
    assert len(shown("x" * 500)) == 60
