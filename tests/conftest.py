"""Shapes and types in signatures are checked while tests run; the real entry point is a fixture."""

import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from beartype import BeartypeConf, beartype
from hypothesis import settings
from jaxtyping import config, install_import_hook

typechecker = beartype(conf=BeartypeConf(is_pep484_tower=True))  # the numeric tower: an int is a float

settings.register_profile("few", max_examples=40)
settings.register_profile("thorough", max_examples=1000)
settings.load_profile("few")

# a shell makes what it starts in the background ignore Ctrl-C, and nohup the end of the terminal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# where arrays are: a check at each call of the rest would take a quarter of a short training, and mypy reads it
ARRAYS = ("functional", "models", "data", "training", "evaluation", "figures", "explore")
install_import_hook([f"latentlab.{room}" for room in ARRAYS], "tests.conftest.typechecker")


def pytest_collection_finish() -> None:
    """What is alive now stays: each search for garbage among it would take half a second."""
    gc.freeze()


@pytest.fixture
def unchecked(monkeypatch) -> None:
    """Types are not checked, as outside of tests."""
    monkeypatch.setattr(config, "jaxtyping_disable", True)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty folder to stand in; the log's handlers are afterwards what they were."""
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield tmp_path
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    """The folder of real MNIST in torchvision's layout."""
    root = os.environ.get("LATENTLAB_DATA")
    if not root or not (Path(root) / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        pytest.skip("no real MNIST: set LATENTLAB_DATA to a folder that holds MNIST/raw")
    return Path(root).absolute()


@pytest.fixture(scope="session")
def outputs(tmp_path_factory) -> Path:
    """A folder whose classifiers all tests share: one is trained in a minute of several processes' time."""
    return tmp_path_factory.getbasetemp().parent / "outputs"


@pytest.fixture(scope="session")
def digits():
    """The bundled digits of 8 x 8 pixels, loaded."""
    from latentlab.data.digits import DigitsDataModule

    data = DigitsDataModule(image_size=8)
    data.setup()
    return data


@pytest.fixture(scope="session")
def reference_classifier(digits, outputs):
    """Of the bundled digits, trained for real."""
    from latentlab.evaluation.reference_classifier import load_or_train

    return load_or_train(digits.train, 10, outputs / "reference_classifiers")


@pytest.fixture
def run_hydra():
    """Arguments -> exit status of `latentlab train`, in this process."""
    from latentlab.commands.train import main

    return main


@pytest.fixture
def train(run_hydra, tmp_path, monkeypatch):
    """Arguments -> the run's folder after `latentlab train`, in this process, ended with the expected status."""
    from latentlab.runs import Run

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, folder: str = "run", status: int = 0) -> Run:
        where = [] if any(a.startswith("resume=") for a in arguments) else [f"hydra.run.dir={tmp_path / folder}"]
        assert run_hydra([*arguments, *where]) == status
        return Run(tmp_path / folder)

    return run


@pytest.fixture
def sweep(run_hydra, tmp_path, monkeypatch):
    """Arguments -> exit status and the runs of the sweep's jobs by the names of their folders."""
    from latentlab.runs import Run

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, dict[str, Run]]:
        status = run_hydra(["-m", *arguments, f"hydra.sweep.dir={tmp_path / 'sweep'}"])
        return status, {path.parent.name: Run(path.parent) for path in Path().glob("sweep/*/.hydra")}

    return run
