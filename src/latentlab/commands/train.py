"""Train one model, or a sweep of them: `python -m latentlab train model=vae net=mlp data=mnist`.

Nothing here imports torch before the config is known to be sound, so that a typing mistake is answered at once.
"""

from latentlab.commands.job import job, refuse_unsound
from latentlab.config import run_hydra
from latentlab.config.resume_arguments import resuming_arguments


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "train", arguments, resuming_arguments, refuse_unsound, sweeps=True)
