"""The command line: compose a config, judge it before anything slow is imported, run the job."""

from latentlab.cli.config_dir import config_dir
from latentlab.cli.run import run_hydra

__all__ = ["config_dir", "run_hydra"]
