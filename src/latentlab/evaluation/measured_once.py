"""Metrics of the data alone, which are the same for all its runs: measured once and kept in a file."""

import json
import logging
import math
from collections.abc import Callable, Iterable
from pathlib import Path

from latentlab.evaluation.trained_once import only_process
from latentlab.runs.documents import Damaged, json_of
from latentlab.runs.files import write_atomically

log = logging.getLogger(__name__)


def measured_once(name: str, file: Path, measure: Callable[[], Iterable[tuple[str, float]]]) -> dict[str, float]:
    """What `measure` finds, read from `file`, or measured and saved in it. A damaged file is logged and replaced.

    name: of the metrics, for the log. file: named by all that they depend on.

    Raises:
        UserError: another process has held its lock for half an hour.
        OSError: the file cannot be written; the error names it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with only_process(name, file.with_suffix(".lock")):
        found = _kept(name, file)
        if found is None:
            log.info("measuring the %s once; they are kept in %s", name, file)
            found = dict(measure())
            write_atomically(file, json.dumps(found) + "\n")
    return found


def _kept(name: str, file: Path) -> dict[str, float] | None:
    """The metrics in the file; None where there is none, or it is damaged."""
    if not file.is_file():
        return None
    try:
        content = json_of(file)
        if not all(isinstance(value, float) and math.isfinite(value) for value in content.values()):
            raise Damaged(f"{file.name} is damaged (not all of its values are numbers)")
    except Damaged as error:
        log.warning("%s/%s: the %s are measured again", file.parent, error, name)
        return None
    return content
