"""Train one model, or a sweep of them: `python -m latentlab.train model=vae net=mlp data=mnist`.

Nothing here imports torch before the config is known to be sound, so that a typing mistake is answered at once.
"""

from __future__ import annotations

import sys

from latentlab.cli import run_hydra
from latentlab.job import job
from latentlab.resume import resuming_arguments


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(run_hydra(job, "train", sys.argv[1:], resuming_arguments))


if __name__ == "__main__":
    main()
