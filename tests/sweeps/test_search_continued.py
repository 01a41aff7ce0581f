"""A search that is given again: what it resumes, refuses, and begins anew."""

from pathlib import Path

import numpy as np
import pytest

from latentlab.runs.lock import held
from latentlab.sweeps.space import SearchSpace
from latentlab.sweeps.study import Study
from tests.sweeps.short_searches import RATE, settings

pytestmark = pytest.mark.slow  # whole searches


def test_a_mistyped_objective_may_be_corrected(search, capfd):
    """The trained run is kept: it has the metric that was meant."""
    status, _ = search("hydra.sweeper.minimize=[val/msee]", "hydra.sweeper.trials=2", RATE)
    assert status != 0
    assert "no metric 'val/msee'; a run has" in capfd.readouterr().err
    status, trials = search("hydra.sweeper.minimize=[val/mse]", "hydra.sweeper.trials=2", RATE)
    assert status == 0
    assert [trial["state"] for trial in trials] == ["complete"] * 2


def test_a_study_is_not_continued_with_other_objectives(search, capfd):
    search(RATE, "hydra.sweeper.trials=1")
    status, _ = search(RATE, "hydra.sweeper.trials=2", "hydra.sweeper.minimize=[val/mse]")
    assert status == 1
    assert "choose another sweep.name" in capfd.readouterr().err


def test_a_study_is_not_continued_with_other_overrides(search, capfd):
    """Values of trials that differ in what is not searched cannot be compared."""
    search(RATE, "hydra.sweeper.trials=1", "model.latent_dim=2")
    status, _ = search(RATE, "hydra.sweeper.trials=2", "model.latent_dim=3", "quiet=true")
    assert status == 1
    assert "was searched with model.latent_dim=2, found model.latent_dim=3; leave it" in capfd.readouterr().err
    status, trials = search(RATE, "hydra.sweeper.trials=2", "model.latent_dim=2", "quiet=true")
    assert status == 0
    assert len(trials) == 2


def test_the_same_settings_may_be_written_otherwise(search):
    search(RATE, "hydra.sweeper.trials=1", "model.latent_dim=2", "seed=0")
    status, trials = search(RATE, "hydra.sweeper.trials=2", "model.latent_dim=2", "seed=0", "likelihood=bernoulli")
    assert status == 0
    assert [trial["state"] for trial in trials] == ["complete", "complete"]


def ended(folder: Path) -> Study:
    """The study as a process sees it that has ended since."""
    return Study(folder, settings(minimize=["val/objective_final"], startup_trials=5), "ended")


def test_a_stopped_trial_is_resumed_unless_the_settings_changed(search):
    _, first = search(RATE, "hydra.sweeper.trials=1", "model.latent_dim=2")
    folder = Path("outputs/sweeps/s")
    for dimensions, of_first in ((2, True), (3, False)):
        (folder / "search.journal").unlink()
        study = ended(folder)
        trial = study.ask(SearchSpace.of([RATE], None).distributions)
        study.set_folder(trial, first[0]["folder"])
        status, trials = search(RATE, "hydra.sweeper.trials=2", f"model.latent_dim={dimensions}")
        assert status == 0
        assert [trial["state"] for trial in trials] == ["complete"] * 2
        assert (first[0] in trials) == of_first
    assert first[0]["folder"] not in {trial["folder"] for trial in trials}


def test_a_study_is_not_continued_with_objectives_in_another_order(search, capfd):
    search(RATE, "hydra.sweeper.trials=1", "hydra.sweeper.minimize=[val/mse,parameters]")
    status, _ = search(RATE, "hydra.sweeper.trials=2", "hydra.sweeper.minimize=[parameters,val/mse]")
    assert status == 1
    assert "choose another sweep.name" in capfd.readouterr().err


def test_a_study_is_not_continued_with_other_files_of_configs(search, tmp_path, capfd):
    option = tmp_path / "own" / "net" / "mine.yaml"
    option.parent.mkdir(parents=True)
    given = (f"--config-dir={tmp_path / 'own'}", RATE, "net=mine")
    for width, expected in ((4, 0), (8, 1), (4, 0)):
        option.write_text(f"defaults: [mlp]\nwidths: [{width}]\n")
        assert search(*given, f"hydra.sweeper.trials={1 if width == 4 else 2}")[0] == expected
    assert "was searched with net.widths=[4] net.decoder.widths=[4]" in capfd.readouterr().err


def test_every_choice_of_a_study_is_compared(search, capfd):
    given = ("optimizer=adam,sgd", "hydra.sweeper.seed=2")
    _, trials = search(*given, "hydra.sweeper.trials=4")
    assert {trial["params"]["optimizer"] for trial in trials} == {"adam", "sgd"}
    status, _ = search(*given, "hydra.sweeper.trials=5", "optimizer.lr=1.0e-3")  # Adam's default
    assert status == 1
    assert "found optimizer.lr=0.001" in capfd.readouterr().err


def test_a_mistyped_choice_may_be_corrected(search, capfd):
    assert search("model=vae,vea", "hydra.sweeper.trials=1", "hydra.sweeper.seed=1")[0] == 1
    assert "did you mean vae?" in capfd.readouterr().err
    status, trials = search("model=vae,ae", "hydra.sweeper.trials=1")
    assert (status, [trial["state"] for trial in trials]) == (0, ["complete"])


def test_a_trial_that_another_process_runs_is_left_to_it(search, capfd):
    folder = Path("outputs/sweeps/s")
    worker = folder / ".workers" / "ended"
    worker.mkdir(parents=True)
    with held(worker):
        ended(folder).ask(SearchSpace.of([RATE], None).distributions)
        status, trials = search(RATE, "hydra.sweeper.trials=1")
    assert (status, [trial["state"] for trial in trials]) == (0, ["running"])
    assert "those of another process" in capfd.readouterr().out


def test_a_search_of_which_every_trial_failed_begins_anew(search, tmp_path, capfd):
    """Here of a mistyped file: the configs count as the same, as data may be moved."""
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8))
    given = ("model.latent_dim=2,3", "data=arrays", "net.widths=[8]", "hydra.sweeper.trials=2")
    status, trials = search(*given, "data.file=typo/mine.npz")
    assert status == 1
    assert [trial["state"] for trial in trials] == ["fail", "fail"]
    assert "found none at typo/mine.npz" in capfd.readouterr().err
    status, trials = search(*given, "data.file=mine.npz")
    assert status == 0
    assert [(trial["number"], trial["state"]) for trial in trials] == [(0, "complete"), (1, "complete")]


def test_a_study_is_not_continued_without_a_key_that_was_searched(search, capfd):
    search(RATE, "model.latent_dim=2,3", "hydra.sweeper.trials=1")
    status, _ = search(RATE, "hydra.sweeper.trials=2")
    assert status == 1
    assert "was searched with model.latent_dim searched, found nothing more; leave it" in capfd.readouterr().err


def test_images_that_change_within_a_search_are_found(search, tmp_path, capfd):
    """No config shows it: the second command names the same file."""
    given = (RATE, "data=arrays", "net.widths=[8]", "model.latent_dim=2", f"data.file={tmp_path}/mine.npz")
    for seed, expected in ((0, 0), (1, 1)):
        x = np.random.default_rng(seed).integers(0, 256, (60, 8, 8), np.uint8)
        np.savez(tmp_path / "mine.npz", x=x)
        assert search(*given, f"hydra.sweeper.trials={seed + 1}")[0] == expected
    out, err = capfd.readouterr()
    assert "trials 0 and 1 were trained on different images of one data set" in err
    assert out.count("best:") == 1  # of the first command


def test_what_cannot_change_a_result_is_not_searched(search, capfd):
    assert search("data.root=a,b", "hydra.sweeper.trials=2") == (1, [])
    assert "data.root: cannot change a result, so it cannot be searched; give it one value" in capfd.readouterr().err


def test_a_search_takes_no_other_data_of_one_name(search, tmp_path, capfd):
    for folder, seed in (("p", 0), ("q", 1)):
        (tmp_path / folder).mkdir()
        x = np.random.default_rng(seed).integers(0, 256, (60, 8, 8), np.uint8)
        np.savez(tmp_path / folder / "mine.npz", x=x)
    given = (RATE, "data=arrays", "net.widths=[8]", "model.latent_dim=2")
    p, q = (f"data.file={tmp_path}/{folder}/mine.npz" for folder in "pq")
    assert search(*given, p, "hydra.sweeper.trials=1")[0] == 0
    assert search(*given, q, "hydra.sweeper.trials=2")[0] == 1
    assert "would count as the same images" in capfd.readouterr().err
    status, trials = search(*given, p, "hydra.sweeper.trials=2")
    assert status == 0
    assert [trial["state"] for trial in trials] == ["complete", "complete"]


def test_a_study_is_not_continued_with_other_choices(search, capfd):
    search("model.latent_dim=2,4", "hydra.sweeper.trials=1")
    status, _ = search("model.latent_dim=2,4,8", "hydra.sweeper.trials=2")
    assert status == 1
    error = capfd.readouterr().err
    assert "model.latent_dim: " in error
    assert "choose another sweep.name" in error
    assert len(error.strip().splitlines()) == 1


def test_a_trial_that_was_stopped_before_it_had_values_is_not_run(search):
    _, first = search(RATE, "hydra.sweeper.trials=1")
    ended(Path("outputs/sweeps/s")).ask({})
    status, trials = search(RATE, "hydra.sweeper.trials=3")
    assert status == 0
    assert [trial["state"] for trial in trials] == ["complete", "fail", "complete"]
    assert trials[0] == first[0]
