"""`initial_weights=FOLDER`: a training that starts from the weights of another run's best epoch."""

import shutil

import pytest
import torch

from latentlab.runs.identity import config_hash
from latentlab.training.restore import load_model, trusted_config

pytestmark = pytest.mark.slow  # several trainings each

TINY = ["data=digits", "data.image_size=8", "net.widths=[8]", "trainer=cpu", "callbacks=no_pictures", "logger=none"]
STANDING_STILL = ["optimizer=sgd", "optimizer.lr=1e-30", "trainer.max_epochs=1"]


def weights(run) -> dict[str, torch.Tensor]:
    return load_model(run, trusted_config(run)).state_dict()


def test_a_training_starts_where_the_other_run_was_best_and_is_another_experiment(train, capfd):
    first = train(*TINY, "model=vae", "trainer.max_epochs=2", folder="first")
    options = [*TINY, *STANDING_STILL, "model=vae", "model/bound=iwae", "seed=1"]
    then = train(*options, f"initial_weights={first.folder}", folder="then")
    assert f"starting from the weights of {first.folder}" in capfd.readouterr().out
    torch.testing.assert_close(weights(then), weights(first), rtol=0, atol=0)
    alone = train(*options, folder="alone")
    assert not torch.equal(weights(alone)["encoder.layers.0.weight"], weights(first)["encoder.layers.0.weight"])
    assert alone.metrics["config_hash"] != then.metrics["config_hash"]


def test_it_is_resumed_without_that_run(train):
    first = train(*TINY, "trainer.max_epochs=1", folder="first")
    then = train(
        *TINY, "trainer.max_epochs=1", "initial_weights=../" + first.folder.parent.name + "/first", folder="then"
    )
    shutil.rmtree(first.folder)
    assert train(f"resume={then.folder}", "trainer.max_epochs=2", folder="then").metrics["epochs"] == 2


def test_each_seed_starts_from_its_own_run_of_a_sweep_and_all_are_one_experiment(sweep, train):
    status, jobs = sweep(*TINY, "trainer.max_epochs=1", "model=ae", "seed=0,1")
    assert status == 0
    one = train(*TINY, *STANDING_STILL, "model=ae", f"initial_weights={jobs['seed=1'].folder}", folder="one")
    torch.testing.assert_close(weights(one), weights(jobs["seed=1"]), rtol=0, atol=0)
    folder = jobs["seed=1"].folder.parent
    shutil.move(folder, folder.with_name("before"))
    status, then = sweep(
        *TINY, *STANDING_STILL, "model=ae", "seed=0,1", f"initial_weights={folder.with_name('before')}"
    )
    assert status == 0
    hashes = {config_hash(run.config, without=("seed", "data.seed")) for run in then.values()}
    assert len(hashes) == 1
    assert not torch.equal(weights(then["seed=0"])["encoder.layers.0.weight"], weights(one)["encoder.layers.0.weight"])
    torch.testing.assert_close(weights(then["seed=1"]), weights(one), rtol=0, atol=0)


def test_other_images_are_warned_of(train, capfd):
    first = train(*TINY, "trainer.max_epochs=1", folder="first")
    train(*TINY, "trainer.max_epochs=1", "data.split_seed=5", f"initial_weights={first.folder}", folder="then")
    assert (
        "initial_weights: that run was trained on other images, which may include test images of"
        in capfd.readouterr().out
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["initial_weights=nowhere"], "initial_weights: nowhere is not a run's folder: it does not exist"),
        (["experiment=iwae"], "outputs/sweeps/reproduce_burda; train it first: latentlab reproduce burda"),
        (["initial_weights=first", "net.widths=[9]"], "does not fit this model; expected a run of the same variant,"),
        (["initial_weights=first", "model=ae"], "does not fit this model; expected a run of the same variant, network"),
        (["initial_weights=3"], "initial_weights: 3 is not a run's folder: it does not exist"),
        (["initial_weights=empty"], "initial_weights: empty holds no checkpoint; train it first, or choose another"),
        (
            ["initial_weights=without_best"],
            "lacks checkpoints/best.ckpt, whose weights were tested; choose another",
        ),
        (["initial_weights=damaged"], "is damaged"),
        (["initial_weights=unfinished"], "initial_weights: unfinished is not complete; finish it first: latentlab "),
        (["initial_weights=sweep", "seed=7"], "expected one complete run of seed 7 in the sweep sweep, found 0; name"),
        (
            ["initial_weights=a (folder), of mine"],
            "initial_weights: a (folder), of mine is not a run's folder: it does not",
        ),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(train, tmp_path, capfd, options, expected):
    first = train(*TINY, "model=vae", "trainer.max_epochs=1", folder="first")
    for copy in ("empty", "without_best", "damaged", "unfinished", "sweep/seed=0"):
        shutil.copytree(first.folder, tmp_path / copy)
    (tmp_path / "sweep" / "sweep.json").write_text("{}")
    (tmp_path / "unfinished" / "metrics.json").unlink()
    shutil.rmtree(tmp_path / "empty" / "checkpoints")
    (tmp_path / "without_best" / "checkpoints" / "best.ckpt").unlink()
    for file in (tmp_path / "damaged" / "checkpoints").iterdir():
        file.write_bytes(file.read_bytes()[:1000])
    capfd.readouterr()
    then = train(*TINY, "model=vae", *options, folder="then", status=1)
    error = capfd.readouterr().err
    assert error.startswith("error: ")
    assert expected in error
    assert error.count("\n") == 1
    assert not then.folder.exists()


def test_random_weights_have_the_hash_of_the_runs_before_there_was_this_key():
    assert config_hash({"seed": 0, "initial_weights": None}) == config_hash({"seed": 0})
    assert config_hash({"seed": 0, "initial_weights": "a"}) != config_hash({"seed": 0})


def test_a_run_that_was_stopped_before_its_first_checkpoint_starts_from_them_again(train, capfd):
    first = train(*TINY, "trainer.max_epochs=1", folder="first")
    options = [*TINY, *STANDING_STILL, f"initial_weights={first.folder}"]
    then = train(*options, folder="then")
    shutil.rmtree(then.folder / "checkpoints")
    for name in ("metrics.json", "history.jsonl"):
        (then.folder / name).unlink()
    then.write_status("interrupted", "")
    capfd.readouterr()
    train(f"resume={then.folder}")
    said = capfd.readouterr().out
    assert "has no checkpoint yet: it begins with the first epoch" in said
    assert f"starting from the weights of {first.folder}" in said
    torch.testing.assert_close(weights(then), weights(first), rtol=0, atol=0)
