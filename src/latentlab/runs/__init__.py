"""The run folder: its files, lock, identity and provenance. Loads neither torch nor Hydra."""

from latentlab.runs.run import HISTORY, Run

__all__ = ["HISTORY", "Run"]
