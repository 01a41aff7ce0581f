"""The built wheel: what it holds, and a run trained from it, far from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "conf", "src")
TRAIN = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=csv", "callbacks=no_pictures"]
WITNESS = """
import sys, latentlab
from latentlab.config.config_dir import config_dir
from latentlab.__main__ import main
print("package", latentlab.__file__)
print("configs", config_dir())
main()
"""


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of the checkout, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, _made(copy) / name)
    # what a checkout that has been worked in holds besides
    for stray in ("tests/test_stray.py", "outputs/runs/stray/metrics.json", "data/stray.bin"):
        _made((copy / stray).parent)
        (copy / stray).touch()
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder / "dist", copy)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def members(wheel) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def trained(wheel, tmp_path_factory) -> tuple[Path, Path, str]:
    """(where the wheel was installed, where one stood while training from it, what was said)."""
    folder = tmp_path_factory.mktemp("far_from_the_checkout")
    site, stand = _made(folder / "site"), _made(folder / "stand")
    pip("install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", site, wheel)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", WITNESS, "train", *TRAIN],
        cwd=stand,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return site, stand, done.stdout


def test_the_wheel_holds_every_config_and_module_of_the_checkout(members):
    configs = {f"latentlab/{file.relative_to(ROOT)}" for file in (ROOT / "conf").rglob("*.*")}
    modules = {str(file.relative_to(ROOT / "src")) for file in (ROOT / "src").rglob("*.py")}
    assert configs
    assert configs | modules | {"latentlab/py.typed"} <= members


def test_the_wheel_holds_nothing_but_the_package_and_its_metadata(members):
    assert {name.split("/")[0] for name in members} == {
        "latentlab",
        "hydra_plugins",
        f"latentlab-{_version()}.dist-info",
    }
    assert [name for name in members if name.startswith("hydra_plugins/")] == ["hydra_plugins/latentlab_sweepers.py"]
    ours = {name for name in members if name.startswith("latentlab/")}
    assert {Path(name).suffix for name in ours} == {
        ".py",
        ".yaml",
        ".json",
        ".typed",
        ".html",
        ".css",
        ".js",
        ".bash",
        ".fish",
        ".zsh",
    }
    assert not [name for name in ours if "test" in Path(name).name or "outputs" in name]


def test_the_wheel_brings_the_commands(wheel):
    with ZipFile(wheel) as archive:
        text = archive.read(f"latentlab-{_version()}.dist-info/entry_points.txt").decode()
    assert "latentlab = latentlab.__main__:main" in text


@pytest.mark.slow
def test_a_run_far_from_the_checkout_uses_the_package_and_configs_of_the_wheel(trained):
    site, _, said = trained
    assert f"package {site / 'latentlab' / '__init__.py'}" in said.splitlines()
    assert f"configs {site / 'latentlab' / 'conf'}" in said.splitlines()


@pytest.mark.slow
def test_a_run_from_the_wheel_is_complete_and_lies_where_one_stood(trained):
    _, stand, _ = trained
    (run,) = (stand / "outputs" / "runs").iterdir()
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["status"] == "complete"
    assert metrics["steps"] == 2
    assert metrics["git_revision"] is None
    assert (run / "csv" / "metrics.csv").is_file()
    assert (run / "checkpoints" / "best.ckpt").is_file()


@pytest.mark.slow
def test_training_writes_nothing_into_the_installed_package(trained, members):
    site, _, _ = trained
    installed = {str(f.relative_to(site)) for f in site.rglob("*") if f.is_file() and "__pycache__" not in f.parts}
    inside = {name for name in installed if name.startswith("latentlab/")}
    assert inside == {name for name in members if name.startswith("latentlab/")}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
