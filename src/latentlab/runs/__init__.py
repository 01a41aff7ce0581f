"""The run folder: its file names, reader, lock, identity and provenance. Loads neither torch nor Hydra."""

from latentlab.runs.run import Run

__all__ = ["Run"]
