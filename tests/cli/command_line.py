"""The command line in this process, on a job of the test's own."""

import contextlib
import io

from omegaconf import DictConfig

from latentlab.cli import run_hydra


def answer(*argv: str, job=lambda config: 0.0) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_hydra(job, "train", list(argv))
    return status, out.getvalue(), err.getvalue()


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
