"""The evaluation of a run, as a fixture."""

import pytest

from latentlab.commands.evaluate import job
from latentlab.commands.run_folder import with_folder
from latentlab.config import run_hydra as run_hydra_with


@pytest.fixture
def evaluate(outputs):
    """Arguments -> exit status of `latentlab evaluate`, in this process."""

    def run(*arguments: str) -> int:
        return run_hydra_with(
            job, "evaluate", with_folder("evaluate", [*arguments, f"paths.output_dir={outputs}", "quiet=true"])
        )

    return run
