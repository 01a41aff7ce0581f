"""Whether this version of latentlab can continue what another one wrote."""

from importlib.metadata import version

from latentlab.errors import UserError
from latentlab.runs.run import Run
from latentlab.runs.stamp import FORMAT


def other_version(run: Run, key: str) -> str:
    """One line that names both versions where another one made the run in this format; empty for a run of this one.

    key: of the command line, by which the folder was given.

    Raises:
        UserError: the folder has another format.
    """
    made_in, made_by = _stamp_of(run)
    here = version("latentlab")
    if made_by is None or (made_in is None and made_by == here):
        return ""  # written before there were stamps
    if made_in != FORMAT:
        raise UserError(
            f"{key}: {run.folder} was made by latentlab {made_by} in format {made_in or 0}, this is {here} with format "
            f"{FORMAT}; use latentlab {made_by} for it, or train it again in another folder"
        )
    return f"{run.folder} was made by latentlab {made_by}, this is {here}" if made_by != here else ""


def _stamp_of(run: Run) -> tuple[object, object]:
    """That of the training: an evaluation may have rewritten the status."""
    metrics = run.metrics
    if metrics is None:
        status = run.stamp
        return status.get("format"), status.get("latentlab")
    versions = metrics.get("versions")
    return metrics.get("format"), versions.get("latentlab") if isinstance(versions, dict) else None
