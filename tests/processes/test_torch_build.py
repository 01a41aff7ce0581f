"""One clear line where torch and torchvision do not belong together."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = """
from latentlab.errors import UserError
from latentlab.processes.torch_build import import_with_torch
try:
    import_with_torch("lightning.pytorch")
except UserError as error:
    print(error)
"""
SOURCES = Path(find_spec("latentlab").origin).parents[1]  # type: ignore[union-attr, arg-type]
MEND = "install both together from one index"


def without_operators(package: Path) -> None:
    """torchvision as installed, less what is compiled: this torch cannot load that of another build."""
    installed = Path(find_spec("torchvision").origin).parent  # type: ignore[union-attr, arg-type]
    shutil.copytree(installed, package, ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.dll", "__pycache__"))


def with_a_library_that_does_not_load(package: Path) -> None:
    package.mkdir()
    (package / "_C.so").write_bytes(b"no library")
    (package / "__init__.py").write_text(
        "import ctypes, pathlib\nctypes.CDLL(str(pathlib.Path(__file__).parent / '_C.so'))\n"
    )


def with_a_name_that_torch_does_not_have(package: Path) -> None:
    package.mkdir()
    (package / "__init__.py").write_text("from torch import a_name_of_another_build\n")


def error_of(first_on_path: Path) -> str:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = [{str(first_on_path)!r}, {str(SOURCES)!r}]\n{PROGRAM}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return run.stdout


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without_operators, "operator torchvision::nms does not exist"),
        (with_a_library_that_does_not_load, "_C.so: file too short"),
        (with_a_name_that_torch_does_not_have, "cannot import name 'a_name_of_another_build'"),
    ],
)
def test_a_torchvision_of_another_build_gives_one_line_with_both_versions(damage, reason, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from importlib.metadata import version

    damage(tmp_path / "torchvision")
    metadata = tmp_path / "torchvision-0.1.2+other.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.2+other\n")
    line = error_of(tmp_path)
    assert line.count("\n") == 1
    assert line.startswith(f"torch {version('torch')} and torchvision 0.1.2+other are not of one build (")
    assert reason in line
    assert MEND in line


@pytest.mark.slow
def test_a_matching_pair_passes(tmp_path: Path) -> None:
    assert error_of(tmp_path) == ""
