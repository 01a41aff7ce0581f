"""A search samples trials from a search space, continues after failed trials, and resumes where it was stopped."""

import json
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from latentlab.errors import ConfigError
from latentlab.sweeps.space import SearchSpace, trial_name
from tests.called import called
from tests.forked import Forked
from tests.sweeps.short_searches import RATE, SEARCH, settings


@pytest.mark.parametrize(
    ("override", "distribution"),
    [
        ("x=interval(0.1,10)", FloatDistribution(0.1, 10.0)),
        ("x=interval(1,10)", FloatDistribution(1.0, 10.0)),
        ("x=tag(log, interval(1e-4, 1))", FloatDistribution(1e-4, 1.0, log=True)),
        ("x=int(interval(1, 8))", IntDistribution(1, 8)),
        ("x=tag(log, int(interval(1, 8)))", IntDistribution(1, 8, log=True)),
        ("x=range(2,9,3)", IntDistribution(2, 8, step=3)),
        ("x=1,2", CategoricalDistribution(["1", "2"])),
        ("x=[256],[512,512]", CategoricalDistribution(["[256]", "[512,512]"])),
        ("x=choice(ae,vae)", CategoricalDistribution(["ae", "vae"])),
    ],
)
def test_the_distribution_of_an_override(override, distribution):
    space = SearchSpace.of(["y=3", override], None)
    assert space.distributions == {"x": distribution}
    assert space.fixed == ("y=3",)


def test_a_later_override_of_a_key_wins():
    assert SearchSpace.of(["x=1,2", "y=1,2", "x=5"], None).fixed == ("x=5",)


@pytest.mark.parametrize("arguments", [[], ["x=3"], ["x=interval(3, 1)"], ["x=tag(log, interval(0, 1))"]])
def test_a_search_space_without_a_searched_key_is_refused(arguments):
    with pytest.raises(ConfigError):
        SearchSpace.of(arguments, None)


def test_trials_are_named_in_their_order_by_their_parameters():
    assert (
        trial_name(7, {"optimizer.lr": 0.00123456, "net.widths": "[32]"})
        == "0007,optimizer.lr=0.001235,net.widths=[32]"
    )


def test_pruning_is_for_one_validation_metric():
    assert settings().pruning_metric == "val/mse"
    assert settings(prune=False).pruning_metric is None
    assert settings(minimize=["test/mse"]).pruning_metric is None
    assert settings(maximize=["val/kl"]).pruning_metric is None


@pytest.mark.slow
def test_a_search_is_repeated_by_its_seed_and_extended_by_more_trials(search, tmp_path):
    status, first = search(RATE, "hydra.sweeper.trials=3")
    assert status == 0
    assert [trial["state"] for trial in first] == ["complete"] * 3
    assert len({trial["params"]["optimizer.lr"] for trial in first}) == 3
    status, same = search(RATE, "hydra.sweeper.trials=3")
    assert (status, same) == (0, first)
    status, more = search(RATE, "hydra.sweeper.trials=5")
    assert status == 0
    assert more[:3] == first
    assert len(more) == 5
    for trial in more:
        metrics = json.loads((tmp_path / "outputs/sweeps/s" / trial["folder"] / "metrics.json").read_text())
        assert trial["values"] == [metrics["metrics"]["val/objective_final"]]


def test_a_metric_is_that_of_the_epoch_whose_weights_are_kept_by_the_monitor_that_is_asked_for(search, tmp_path):
    monitored = ("callbacks.checkpoint.monitor=val/kl", "callbacks.checkpoint.mode=max")
    arguments = ("model=vae", "trainer.max_epochs=4", "hydra.sweeper.trials=2", "hydra.sweeper.prune=false")
    status, trials = search(RATE, *arguments, *monitored, "hydra.sweeper.minimize=[val/bce]")
    assert status == 0
    chosen = []
    for trial in trials:
        lines = (tmp_path / "outputs/sweeps/s" / trial["folder"] / "history.jsonl").read_text().splitlines()
        epochs = [epoch for epoch in map(json.loads, lines) if "val/bce" in epoch]
        kept = max(epochs, key=lambda epoch: epoch["val/kl"])
        assert trial["values"] == [kept["val/bce"]]
        chosen.append(kept is not min(epochs, key=lambda epoch: epoch["val/objective_final"]))
    assert any(chosen)  # else the monitor would not matter


def test_a_trial_that_fails_or_becomes_nan_is_reported_and_the_search_continues(search):
    diverging = ("likelihood=gaussian", "optimizer=sgd", "optimizer.lr=1e5,1e-4", "hydra.sweeper.trials=6")
    status, trials = search(*diverging)
    assert status == 0
    by_rate = {trial["params"]["optimizer.lr"]: trial for trial in trials}
    assert by_rate["100000.0"]["state"] == "fail"
    assert "not finite" in by_rate["100000.0"]["reason"]
    assert by_rate["0.0001"]["state"] == "complete"


def test_a_config_that_was_trained_already_is_not_trained_again(search, tmp_path):
    status, trials = search("net.widths=[8],[16]", "hydra.sweeper.trials=6")
    assert status == 0
    assert len(trials) == 6
    assert len(list((tmp_path / "outputs/sweeps/s").glob("*/metrics.json"))) == 2
    assert len({(trial["folder"], *trial["values"]) for trial in trials}) == 2


@pytest.mark.slow
def test_a_trial_worse_than_the_median_is_pruned(search, tmp_path):
    status, trials = search(
        "optimizer.lr=1e-2,1e-6",
        "seed=0,1,2,3",
        "trainer.max_epochs=4",
        "hydra.sweeper.trials=12",
        "hydra.sweeper.startup_trials=3",
    )
    assert status == 0
    stopped = [trial for trial in trials if trial["state"] == "pruned"]
    assert "1e-06" in {trial["params"]["optimizer.lr"] for trial in stopped}
    assert "1e-06" not in {trial["params"]["optimizer.lr"] for trial in trials[3:] if trial["state"] == "complete"}
    for trial in stopped:
        run = tmp_path / "outputs/sweeps/s" / trial["folder"]
        assert json.loads((run / "status.json").read_text())["status"] == "pruned"
        epochs = {json.loads(line)["epoch"] for line in (run / "history.jsonl").read_text().splitlines()}
        assert max(epochs) < 4


def test_several_objectives_leave_the_pareto_front(search, capfd):
    objectives = "hydra.sweeper.minimize=[val/mse,parameters]"
    status, trials = search("net.widths=[4],[64]", "trainer.max_epochs=3", objectives, "hydra.sweeper.trials=6")
    assert status == 0
    assert {len(trial["values"]) for trial in trials} == {2}
    message = capfd.readouterr().out
    assert "net.widths=[4]" in message.rpartition("search:")[2]
    assert "net.widths=[64]" in message.rpartition("search:")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RATE, "hydra.sweeper.trials=0"), "hydra.sweeper.trials: expected at least 1"),
        ((RATE, "hydra.sweeper.trials=many"), "hydra.sweeper.trials: expected int"),
        ((RATE, "+hydra.sweeper.trails=3"), "hydra.sweeper.trails: unknown"),
        ((RATE, "hydra.sweeper.minimize=[]"), "hydra.sweeper.minimize: expected metrics"),
        ((RATE, "hydra.sweeper.maximize=[val/objective_final]"), "hydra.sweeper.minimize: expected metrics"),
        ((RATE, "hydra.sweeper.trials=1", "hydra.sweeper.minimize=[val/mean]"), "no metric 'val/mean'"),
        (("seed=0",), "nothing to search"),
        (("optimizer.rate=interval(0,1)",), "optimizer.rate"),
    ],
)
def test_a_mistake_is_one_line(search, capfd, arguments, message):
    status, _ = search(*arguments)
    error = capfd.readouterr().err
    assert status == 1
    assert message in error
    assert len(error.strip().splitlines()) == 1


def start(folder: Path, *arguments: str) -> Forked:
    return Forked("train", "-m", *SEARCH, *arguments, f"hydra.sweep.dir={folder}")


@pytest.mark.long  # that a search is extended to the trials of a longer one is a test of its own
def test_a_killed_search_continues_to_the_trials_of_one_left_alone(tmp_path):
    arguments = (RATE, "data.batch_size=16", "trainer.max_epochs=3", "hydra.sweeper.trials=5")
    process = start(tmp_path / "killed", *arguments)
    process.wait_until(lambda: list((tmp_path / "killed").glob("0002*/checkpoints/last.ckpt")))
    process.kill_group()
    process.finish()
    for name in ("alone", "killed"):
        done = called("train", "-m", *SEARCH, *arguments, f"hydra.sweep.dir={tmp_path / name}")
        assert done.returncode == 0, done.stderr
    alone, killed = (json.loads((tmp_path / name / "search.json").read_text()) for name in ("alone", "killed"))
    assert killed == alone
    assert not list((tmp_path / "killed" / ".workers").iterdir())


@pytest.mark.slow
def test_two_processes_search_together_and_stop_at_the_same_number(tmp_path):
    both = [start(tmp_path / "s", RATE, "hydra.sweeper.trials=8") for _ in range(2)]
    for process in both:
        status, output = process.finish(240)
        assert status == 0, output
    trials = json.loads((tmp_path / "s" / "search.json").read_text())["trials"]
    assert [trial["number"] for trial in trials] == list(range(8))
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    assert len({trial["folder"] for trial in trials}) == 8
    assert len({trial["params"]["optimizer.lr"] for trial in trials}) == 8


@pytest.mark.slow
def test_two_processes_that_draw_one_config_train_it_once(tmp_path):
    """The second one waits for the result of the first, and counts it as its own trial's."""
    both = [start(tmp_path / "s", "model.latent_dim=choice(2)", "hydra.sweeper.trials=4") for _ in range(2)]
    for process in both:
        status, output = process.finish(240)
        assert status == 0, output
    trials = json.loads((tmp_path / "s" / "search.json").read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["complete"] * 4
    assert len({(trial["folder"], *trial["values"]) for trial in trials}) == 1
    assert any("waiting for trial 0 of another process" in process.output for process in both)


@pytest.mark.long
def test_jobs_of_a_search_run_at_once(tmp_path):
    at_once = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    arguments = ("-m", *SEARCH, RATE, "hydra.sweeper.trials=4", *at_once, f"hydra.sweep.dir={tmp_path / 's'}")
    done = called("train", *arguments)
    assert done.returncode == 0, done.stderr
    trials = json.loads((tmp_path / "s" / "search.json").read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["complete"] * 4


def test_a_sampled_config_that_is_not_sound_is_a_failed_trial_beside_others(search, capfd):
    arguments = ("data.batch_size=32,none", "hydra.sweeper.trials=6")
    status, trials = search(*arguments)
    while status:  # as long as nothing else is known, it is reported as a mistake
        assert "data.batch_size: expected int" in capfd.readouterr().err
        status, trials = search(*arguments)
    assert status == 0
    assert len(trials) == 6
    assert {trial["state"] for trial in trials} == {"complete", "fail"}
