"""`python -m latentlab demo` with neither MNIST nor a network: it reports that and compares models of the digits."""

import os
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.called import Done, called

pytestmark = pytest.mark.slow  # the whole demo

VARIANTS = ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"]
COLUMNS = ["variant", "mse", "bce", "kl", "elbo", "parameters", "seconds"]
SHORT = ["trainer.max_epochs=1", "data.image_size=8", "data.batch_size=1000"]
CLOSED = "http://127.0.0.1:9"  # a download fails at once, on machines with a network too


def demo(folder: Path, *arguments: str) -> Done:
    environment = {name: value for name, value in os.environ.items() if name not in ("LATENTLAB_DATA", "COLUMNS")}
    for name in ("http_proxy", "https_proxy"):
        environment |= {name: CLOSED, name.upper(): CLOSED}
    return called("demo", *arguments, folder=folder, environment=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(folder) -> list[str]:
    """What the demo prints in an empty folder."""
    done = demo(folder, "data.root=empty", *SHORT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def rows(printed: list[str]) -> list[list[str]]:
    """The cells of the table, its headings first."""
    start = next((i for i, line in enumerate(printed) if line.split() == COLUMNS), None)
    if start is None:
        return []
    cells = (re.split(r"\s{2,}", line.strip()) for line in printed[start:])
    return [row for row in cells if len(row) == len(COLUMNS)]


def pictures(printed: list[str]) -> list[str]:
    return [line for line in printed if line.endswith(".png")]


def test_without_mnist_one_loud_line_says_that_it_uses_the_digits(printed):
    (loud,) = [line for line in printed if "MNIST" in line and line.startswith("***")]
    assert "NO MNIST: using the 1,797 digits bundled with scikit-learn" in loud
    assert "empty/MNIST/raw" in loud
    assert any(line.strip().startswith("digits, test images") for line in printed)


def test_the_table_shows_every_variant_with_every_metric_it_has(printed):
    headings, *found = rows(printed)
    assert headings == COLUMNS
    assert [row[0] for row in found] == VARIANTS
    for row in found:
        metrics = dict(zip(COLUMNS, row, strict=True))
        has_posterior = row[0] in ("vae", "cvae")
        assert all(re.fullmatch(r"-?[\d,]+(\.\d+)?", metrics[name]) for name in ("mse", "bce", "parameters", "seconds"))
        assert all((metrics[name] == "-") != has_posterior for name in ("kl", "elbo"))
        assert 0 < float(metrics["mse"]) < 0.3


def test_each_variant_has_one_line_of_the_table(printed):
    start = next(i for i, line in enumerate(printed) if line.split() == COLUMNS)
    below = takewhile(str.strip, printed[start + 2 :])
    assert [line.split()[0] for line in below] == VARIANTS


def test_the_table_is_readable_at_80_columns(printed):
    start = next(i for i, line in enumerate(printed) if line.split() == COLUMNS)
    assert max(len(line) for line in printed[start - 2 : start + 7]) <= 80


def test_the_pictures_it_names_exist_for_every_variant(folder, printed):
    found = pictures(printed)
    assert all((folder / picture).is_file() for picture in found)
    for variant in VARIANTS:
        kinds = {Path(picture).name for picture in found if f"model={variant}" in picture.replace("/", ",").split(",")}
        assert {"reconstructions.png", "samples.png"} <= kinds


def test_another_demo_in_the_same_folder_shows_its_own_runs_alone(folder, printed):
    before = set(pictures(printed))
    done = demo(folder, "data=digits", *SHORT, "model=vae", "seed=1,2", "callbacks=no_pictures")
    _, *found = rows(done.stdout.splitlines())
    assert done.returncode == 0
    assert [row[0] for row in found] == ["vae seed=1", "vae seed=2"]
    assert before.isdisjoint(pictures(done.stdout.splitlines()))
    assert "MNIST" not in done.stdout


def test_a_repeated_demo_of_one_name_shows_the_runs_that_are_there(tmp_path):
    small = ["data=digits", *SHORT, "callbacks=no_pictures", "model=ae,vae", "sweep.name=mine"]
    first, second = demo(tmp_path, *small), demo(tmp_path, *small)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert [row[0] for row in rows(second.stdout.splitlines())[1:]] == ["ae", "vae"]
    assert rows(first.stdout.splitlines()) == rows(second.stdout.splitlines())


@pytest.mark.long
def test_a_demo_by_joblib_shows_the_runs_of_its_workers(tmp_path):
    command = [
        sys.executable,
        "-m",
        "latentlab",
        "demo",
        "data=digits",
        *SHORT,
        "callbacks=no_pictures",
        "model=ae,vae",
    ]
    at_once = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    done = subprocess.run([*command, *at_once], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert [row[0] for row in rows(done.stdout.splitlines())[1:]] == ["ae", "vae"]


FAILING = {
    "optimizer.rl": ["data=digits", "optimizer.rl=1"],
    "data: no option 'digit'": ["data=digit"],
    "model.latent_dim": ["data=digits", "model.latent_dim=0"],
    "expected train-images-idx3-ubyte": ["data=mnist", "data.root=empty"],
    "--cfg: latentlab demo takes no flags": ["--cfg", "job"],
}


@pytest.mark.parametrize("named", FAILING)
def test_a_failing_argument_is_one_line_and_no_table(tmp_path, named):
    done = demo(tmp_path, *FAILING[named])
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert named in line
    assert rows(done.stdout.splitlines()) == []


def test_damaged_mnist_stops_with_its_error_and_is_not_passed_over_for_digits(tmp_path):
    raw = tmp_path / "mnist" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, kind in (
        ("train", "images-idx3"),
        ("train", "labels-idx1"),
        ("t10k", "images-idx3"),
        ("t10k", "labels-idx1"),
    ):
        (raw / f"{part}-{kind}-ubyte").write_bytes(b"not an idx file")
    done = demo(tmp_path, "data.root=mnist", *SHORT)
    assert done.returncode == 1
    assert re.search(r"error: data\.root: .*train-images-idx3-ubyte is damaged", done.stderr)
    assert "Traceback" not in done.stderr
    assert "NO MNIST" not in done.stdout
    assert not (tmp_path / "outputs").exists()


def test_help_describes_it_and_trains_nothing(tmp_path):
    command = [sys.executable, "-m", "latentlab", "demo", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "latentlab demo [KEY=VALUE ...]" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_ones_own_pictures_without_labels_leaves_the_cvae_out(folder):
    (folder / "own").mkdir()
    for k in range(40):
        pixels = np.random.default_rng(k).integers(0, 256, (8, 8), np.uint8)
        Image.fromarray(pixels).save(folder / "own" / f"{k}.png")
    done = demo(folder, "data=folder", "data.root=own", "trainer.max_epochs=1", "callbacks=no_pictures", "logger=none")
    assert done.returncode == 0, done.stderr
    assert "own has no labels, which a cvae needs" in done.stdout
    assert [row[0] for row in rows(done.stdout.splitlines())[1:]] == VARIANTS[:-1]
    missing = demo(folder, "data=folder", "data.root=nowhere")
    assert missing.stderr.startswith("error: data.root: expected a folder of pictures, found none at nowhere")
