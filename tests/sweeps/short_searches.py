"""A search of short trials."""

from latentlab.sweeps.settings import SearchSettings
from tests.sweeps.short_sweeps import JOB

SEARCH = [*JOB, "hydra/sweeper=optuna", "model=ae"]
RATE = "optimizer.lr=tag(log, interval(1e-4, 1e-1))"


def settings(**changed) -> SearchSettings:
    usual = {"trials": 1, "minimize": ["val/mse"], "maximize": [], "prune": True, "startup_trials": 0, "seed": 0}
    return SearchSettings(**{**usual, "storage": None, "params": {}, **changed})
