"""The command line: compose a config, check it before anything slow is imported, run the job."""

from latentlab.config.command_line import run_hydra
from latentlab.config.config_dir import config_dir

__all__ = ["config_dir", "run_hydra"]
