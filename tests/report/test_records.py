"""A run's folder is read with any content: damaged files are named, and nothing in them is executed."""

import json

import pytest

from latentlab.errors import UserError
from latentlab.report.reading.records import read_record
from latentlab.report.reading.run_sets import find_sweep, read_runs, read_sweep
from tests.report.run_folders import beta_sweep, write_run, write_sweep


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", {"mse": 0.5, "nll": None}, curve=[2.0, 1.0], pictures=("samples",))


def test_a_run_without_damage(run):
    record = read_record(run, "run")
    assert (record.status, record.seed, record.damage) == ("complete", 0, ())
    assert record.metrics == {"test/mse": 0.5, "test/nll": None}
    assert record.curves == {"val/mse": ((1.0, 2.0), (2.0, 1.0))}
    assert record.costs == {"train_seconds": 2.5, "parameters": 1000.0, "epochs": 3.0}
    assert list(record.pictures) == ["samples"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"metrics": [1]}', b"\xff\xfe\x00", b"[" * 100_000, b'{"metrics": {"test/mse": "low"}}'],
)
def test_damaged_metrics_are_named(run, content):
    (run / "metrics.json").write_bytes(content)
    record = read_record(run, "run")
    assert any("metrics.json" in line for line in record.damage)
    assert not any(record.metrics.values())


def test_values_that_are_not_finite_numbers_are_none(run):
    (run / "metrics.json").write_text('{"metrics": {"test/a": NaN, "test/b": 1e999, "test/c": true, "test/d": 2}}')
    record = read_record(run, "run")
    assert record.metrics == {"test/a": None, "test/b": None, "test/c": None, "test/d": 2.0}
    assert record.damage == ("metrics.json is damaged (test/c is not a number)",)
    (run / "metrics.json").write_text('{"metrics": {"test/a": 1' + "0" * 4000 + "}}")
    assert read_record(run, "run").metrics == {"test/a": None}


@pytest.mark.parametrize("content", [b"nonsense", b'{"status": "splendid"}', b'{"status": ["complete"]}'])
def test_a_damaged_status_is_named_and_the_metrics_are_used(run, content):
    (run / "status.json").write_bytes(content)
    record = read_record(run, "run")
    assert record.status == "complete"
    assert "status.json" in record.damage[0]


def test_complete_without_metrics_is_damaged(run):
    (run / "metrics.json").unlink()
    record = read_record(run, "run")
    assert record.status == "damaged"
    assert record.reason == "metrics.json is missing, though status.json says complete"


@pytest.mark.parametrize(
    "content",
    ["a: [", "!!python/object/apply:os.system ['touch executed']", "5", "model: 5", "a: &a [*a, *a]", "[" * 5000],
)
def test_a_damaged_config_is_named_and_not_executed(run, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (run / ".hydra" / "resolved.yaml").write_text(content)
    record = read_record(run, "run")
    assert record.status == "damaged"
    assert "resolved.yaml" in record.damage[0]
    assert not (tmp_path / "executed").exists()


def test_aliases_that_expand_to_too_many_values_are_refused(run):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 12)]
    (run / ".hydra" / "resolved.yaml").write_text("\n".join(lines))
    assert "more than" in read_record(run, "run").damage[0]


def test_the_later_lines_of_an_epoch_count_and_an_unfinished_line_is_left_out(run):
    rows = [{"epoch": 1, "val/mse": 3.0}, {"epoch": 2, "val/mse": 9.0}, {"epoch": 2, "train/mse": 1.0}]
    rows += [{"epoch": 2, "val/mse": 2.0}, {"epoch": 3, "val/mse": None}]
    (run / "history.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"epoch": 4, "val/')
    record = read_record(run, "run")
    assert record.curves == {"val/mse": ((1.0, 3.0), (2.0, 2.0)), "train/mse": ((2.0, 1.0),)}
    assert record.damage == ()


def test_a_damaged_line_of_the_history_is_named(run):
    (run / "history.jsonl").write_text('{"epoch": 1, "val/mse": 3.0}\nnonsense\n{"epoch": 2, "val/mse": 2.0}\n')
    record = read_record(run, "run")
    assert record.curves == {"val/mse": ((1.0, 3.0), (2.0, 2.0))}
    assert record.damage == ("history.jsonl is damaged (some lines were skipped)",)


def test_a_linked_picture_is_not_followed(run, tmp_path):
    (run / "figures" / "secret.png").symlink_to(tmp_path / "elsewhere.png")
    assert list(read_record(run, "run").pictures) == ["samples"]


def test_a_run_without_its_process_was_interrupted(tmp_path):
    record = read_record(write_run(tmp_path / "run", None, status="running"), "run")
    assert (record.status, record.reason) == ("interrupted", "its process exited without writing a status")


def test_a_sweep_lists_its_jobs_also_missing_ones(tmp_path):
    folder = beta_sweep(tmp_path / "sweep")
    write_sweep(folder, ["model.beta=1.0,seed=0", "model.beta=9,seed=0"])
    runs = read_sweep(folder)
    assert [(record.name, record.status) for record in runs.records] == [
        ("model.beta=1.0,seed=0", "complete"),
        ("model.beta=9,seed=0", "missing"),
    ]
    assert "not in sweep.json" in runs.notes[0]
    assert runs.commands == (
        "latentlab train -m model.beta=1,2 seed=0",
        "latentlab train -m 'net.widths=[16]' seed=1",  # as a shell reads it
    )


@pytest.mark.parametrize(
    ("recorded", "commands"),
    [
        ({"command": ["seed=0"]}, ("latentlab train -m seed=0",)),  # of 0.1
        (
            {"commands": [["seed=0"], ["seed=0"], 5, ["seed=1"]]},
            ("latentlab train -m seed=0", "latentlab train -m seed=1"),
        ),
        ({"commands": 5}, ()),
        ({}, ()),
    ],
)
def test_the_commands_of_a_sweep_are_read_as_far_as_they_are_sound(tmp_path, recorded, commands):
    folder = beta_sweep(tmp_path, (1.0,), (0,))
    content = json.loads((folder / "sweep.json").read_text())
    del content["commands"]
    (folder / "sweep.json").write_text(json.dumps(content | recorded))
    assert read_sweep(folder).commands == commands


@pytest.mark.parametrize("content", [None, "{", '{"jobs": 5}', "[]"])
def test_without_a_valid_sweep_json_every_run_in_the_folder_is_included(tmp_path, content):
    folder = beta_sweep(tmp_path / "sweep")
    write_run(folder / "model" / "penalty=l1", {"mse": 1.0})
    (folder / "sweep.json").unlink() if content is None else (folder / "sweep.json").write_text(content)
    runs = read_sweep(folder)
    assert len(runs.records) == 10
    assert "sweep.json" in runs.notes[0]


@pytest.mark.parametrize("name", ["../outside", "/", "a/../../outside", "link", "", ".", 5, "a\0b"])
def test_a_job_outside_the_sweep_is_refused(tmp_path, name):
    write_run(tmp_path / "outside", {"mse": 1.0})
    folder = beta_sweep(tmp_path / "sweep", (1.0,), (0,))
    (folder / "link").symlink_to(tmp_path / "outside")
    content = json.loads((folder / "sweep.json").read_text())
    content["jobs"].append({"folder": name, "overrides": []})
    (folder / "sweep.json").write_text(json.dumps(content))
    runs = read_sweep(folder)
    assert [record.name for record in runs.records] == ["model.beta=1.0,seed=0"]
    assert "refused" in runs.notes[0]


def test_mistakes_are_reported_in_one_line(tmp_path):
    beta_sweep(tmp_path / "sweeps" / "betas")
    assert find_sweep("betas", tmp_path) == tmp_path / "sweeps" / "betas"
    assert find_sweep(str(tmp_path / "sweeps" / "betas"), tmp_path / "other") == tmp_path / "sweeps" / "betas"
    with pytest.raises(UserError, match=r"no sweep 'beta' in .*; there are betas"):
        find_sweep("beta", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no runs in"):
        read_sweep(tmp_path / "empty")
    with pytest.raises(UserError, match="is not a run's folder"):
        read_runs([tmp_path / "empty"])


def test_pictures_of_several_epochs_are_found_and_links_are_not_followed(tmp_path):
    run = write_run(tmp_path / "run", {"mse": 1.0}, pictures=("samples",), epochs=(12, 3))
    (run / "figures" / "samples" / "epoch_0004.png").write_bytes(b"\x89PNG no more")
    (run / "figures" / "samples" / "epoch_0005.png").symlink_to(run / "figures" / "samples.png")
    (run / "figures" / "samples" / "epoch_last.png").touch()
    (run / "figures" / "linked").symlink_to(run / "figures" / "samples")
    record = read_record(run, "run")
    assert list(record.pictures) == ["samples"]
    assert {name: list(files) for name, files in record.by_epoch.items()} == {"samples": [3, 12]}
    assert record.damage == ("figures/samples/epoch_0004.png is damaged (not a whole PNG)",)


def test_metrics_of_another_format_are_named_and_left_out(run):
    content = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(content | {"format": 2}))
    record = read_record(run, "run")
    assert record.damage == ("metrics.json has format 2, this latentlab reads format 1",)
    assert (record.status, record.metrics) == ("damaged", {})
