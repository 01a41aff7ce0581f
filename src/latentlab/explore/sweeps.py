"""Which runs of a sweep are shown, and what they are called."""

import logging
from collections.abc import Sequence
from pathlib import Path

from latentlab.errors import UserError
from latentlab.report.reading.run_sets import read_sweep

MOST = 6  # runs on a page

log = logging.getLogger(__name__)


def runs_of(sweep: Path) -> list[Path]:
    """The folders of a sweep's complete runs of its smallest seed, at most `MOST`.

    A log line names them where others are left out.

    Raises:
        UserError: there is none.
    """
    complete = [record for record in read_sweep(sweep).records if record.is_complete]
    if not complete:
        raise UserError(f"sweep: no complete run in {sweep}; finish it first")
    seed = min((record.seed for record in complete if record.seed is not None), default=None)
    shown = [record.folder for record in complete if record.seed in (seed, None)][:MOST]
    if len(shown) < len(complete):
        listed = ", ".join(names(shown))
        log.info("showing %d of %d runs: %s; choose others by runs=[FOLDER,FOLDER]", len(shown), len(complete), listed)
    return shown


def names(folders: Sequence[Path]) -> list[str]:
    """The folders' names, with their parents' where two are the same."""
    names = [folder.resolve().name for folder in folders]
    whole = [f"{folder.resolve().parent.name}/{name}" for folder, name in zip(folders, names, strict=True)]
    return [full if names.count(name) > 1 else name for name, full in zip(names, whole, strict=True)]
