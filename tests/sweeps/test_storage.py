"""Where a search keeps its trials: a journal in its folder, or a database that several machines share."""

import optuna
import pytest
from optuna.distributions import FloatDistribution

from latentlab.errors import ConfigError
from latentlab.sweeps.study import Study
from tests.sweeps.short_searches import RATE, settings
from tests.sweeps.short_sweeps import JOB


def test_a_storage_of_an_earlier_version_is_read_and_continued(search, tmp_path):
    """Earlier versions kept a trial's worker, folder and reason as attributes of the trial itself."""
    (tmp_path / "outputs/sweeps/s").mkdir(parents=True)
    storage = f"sqlite:///{tmp_path}/outputs/sweeps/s/search.db"
    earlier = optuna.create_study(study_name="search", storage=storage, direction="minimize")
    earlier.set_user_attr("objectives", {"val/objective_final": "minimize"})
    for attributes in ({"worker": "1-a", "folder": "0000,x", "reason": "a reason"}, {"worker": "1-b"}):
        trial = earlier.ask({"optimizer.lr": FloatDistribution(1e-4, 1e-1, log=True)})
        for name, value in attributes.items():
            trial.set_user_attr(name, value)
    earlier.tell(0, state=optuna.trial.TrialState.FAIL)
    status, trials = search(RATE, "hydra.sweeper.trials=3")
    assert status == 0
    assert [trial["state"] for trial in trials] == ["fail", "complete", "complete"]
    assert (trials[0]["folder"], trials[0]["reason"]) == ("0000,x", "a reason")
    assert not (tmp_path / "outputs/sweeps/s/search.journal").exists()


@pytest.mark.parametrize("name", ["search.db", "search.journal"])
@pytest.mark.parametrize("content", [b"no database at all" * 100, b"no database\n" * 100])
def test_a_damaged_storage_is_reported(search, tmp_path, capfd, name, content):
    (tmp_path / "outputs/sweeps/s").mkdir(parents=True)
    (tmp_path / "outputs/sweeps/s" / name).write_bytes(content)
    status, _ = search(RATE, "hydra.sweeper.trials=2")
    assert status == 1
    error = capfd.readouterr().err
    assert f"{name} cannot be read" in error
    assert len(error.strip().splitlines()) == 1


def test_the_incomplete_last_line_of_a_journal_is_dropped(tmp_path):
    study = Study(tmp_path, settings(), "w")
    study.ask({"x": FloatDistribution(0, 1)})
    journal = tmp_path / "search.journal"
    complete = journal.read_bytes()
    journal.write_bytes(complete + complete.splitlines()[-1][:20])
    again = Study(tmp_path, settings(), "w")
    again.ask({"x": FloatDistribution(0, 1)})
    assert journal.read_bytes().startswith(complete + b'{"op_code":')
    assert [trial.number for trial in Study(tmp_path, settings(), "w").trials] == [0, 1]


@pytest.mark.slow
def test_a_database_that_several_machines_share(search, tmp_path, capfd):
    """SQLite in place of a server; `tests/postgresql` has a real one."""
    shared = f"hydra.sweeper.storage=sqlite:///{tmp_path}/shared"
    status, trials = search(RATE, "hydra.sweeper.trials=2", shared)
    assert (status, [trial["state"] for trial in trials]) == (0, ["complete"] * 2)
    assert not list((tmp_path / "outputs/sweeps/s").glob("search.[dj][bo][!n]*"))
    (name,) = optuna.get_all_study_names(f"sqlite:///{tmp_path}/shared")
    assert name.startswith("s-")
    assert search(RATE, "hydra.sweeper.trials=3", shared)[1][:2] == trials
    capfd.readouterr()
    assert search(RATE, "hydra.sweeper.trials=3")[0] == 1
    assert "are in a database; give its URL" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nowhere", "expected a URL such as postgresql+psycopg://USER@HOST/DATABASE, found 'nowhere'"),
        ("oracular://host/base", "expected a URL such as"),
        ("postgresql+psycopg://u:secret@127.0.0.1/base", "expected a URL without a password"),
        ("postgresql+pg8000://u@127.0.0.1/base", "pg8000 is not installed; pip install"),
        ("sqlite:////no/such/folder/base", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(search, capfd, url, message):
    status, _ = search(RATE, f"hydra.sweeper.storage='{url}'")
    error = capfd.readouterr().err
    assert status == 1
    assert "hydra.sweeper.storage: " in error
    assert message in error
    assert "secret" not in error
    assert len(error.strip().splitlines()) == 1


def test_a_search_that_has_a_journal_is_not_continued_in_a_database(tmp_path):
    Study(tmp_path, settings(), "w")
    with pytest.raises(ConfigError, match=r"storage: the trials of .* are in search\.journal"):
        Study(tmp_path, settings(storage=f"sqlite:///{tmp_path}/shared"), "w")


def test_a_storage_that_fails_during_a_training_fails_no_trial(train, tmp_path, capfd):
    pruning = (f"folder={tmp_path}/gone", "trial=0", "figure=val/objective_final", "startup_trials=0")
    node = [f"+callbacks.pruning.{key}" for key in ("_target_=latentlab.sweeps.pruning.Pruning", *pruning)]
    train(*JOB[:-1], "model=ae", *node, "trainer.max_epochs=3")
    lines = [line for line in capfd.readouterr().out.splitlines() if "the search's storage failed" in line]
    assert len(lines) == 1
    assert "at epoch 1; this run is not pruned" in lines[0]
