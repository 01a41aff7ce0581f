"""Where a run comes from: the revision of the code, the versions of packages that decide it, its command's folder."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

from latentlab.runs.documents import Damaged, yaml_of
from latentlab.runs.layout import HYDRA_CONFIG
from latentlab.runs.run import Run

PACKAGES = ("latentlab", "torch", "torchvision", "lightning", "hydra-core")


@cache
def git_revision() -> str | None:
    """The revision of the checkout, with `+` where it has changes, as of the first call; None outside one."""
    here = Path(__file__).parent
    try:
        command = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=5, check=True)
        tracked = subprocess.run(
            ["git", "ls-files", "--error-unmatch", Path(__file__).name], cwd=here, capture_output=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if tracked.returncode == 0 else None


def working_directory(run: Run) -> Path:
    """That of the command that started the run; this process's, where it is not known."""
    try:
        return Path(yaml_of(run.folder / HYDRA_CONFIG)["hydra"]["runtime"]["cwd"])
    except (Damaged, KeyError, TypeError):
        return Path.cwd()


def versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}
