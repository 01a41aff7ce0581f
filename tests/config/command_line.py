"""The command line in this process, on a job of the test's own."""

import contextlib
import io

from omegaconf import DictConfig

from latentlab.config import run_hydra
from latentlab.runs import Run
from latentlab.runs.identity import config_hash


def answer(*argv: str, job=lambda config: 0.0) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_hydra(completed(job), "train", list(argv), sweeps=True)
    return status, out.getvalue(), err.getvalue()


def completed(job):
    """The job with the metrics of a complete run, by which a sweep knows that it is done."""

    def run(config: DictConfig) -> float:
        value = job(config)
        Run(config.paths.run_dir).write_metrics({"config_hash": config_hash(config), "metrics": {}, "epochs": 1})
        return value

    return run


def error_line(*argv: str, job=lambda config: 0.0) -> str:
    status, _, err = answer(*argv, job=job)
    assert status == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err.removeprefix("error: ").rstrip("\n")


def seen(*argv: str) -> list[DictConfig]:
    configs: list[DictConfig] = []
    status, _, err = answer(*argv, job=configs.append)
    assert (status, err) == (0, "")
    return configs
