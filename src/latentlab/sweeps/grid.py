"""All combinations of the values in a command: skip, resume or restart each job."""

import logging
from collections.abc import Sequence

from latentlab.errors import UserError
from latentlab.runs.files import remove_drafts
from latentlab.runs.lock import held
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.manifest import Job, Manifest
from latentlab.sweeps.plan import combinations, extended, hashed, in_folders

log = logging.getLogger(__name__)

MAX_REPORTED = 5  # failed jobs, in the last line


def run_grid(sweep: Sweep) -> None:
    """Run every job of the grid that is not complete yet.

    Raises:
        UserError: the command line, the folder, or some of the jobs, after all of them have run.
    """
    wanted = combinations(sweep.chosen, sweep.loader)
    jobs = hashed(sweep, wanted, Manifest.of(sweep.folder))
    with held(sweep.folder):
        remove_drafts(sweep.folder)
        known = Manifest.of(sweep.folder)
        plan = in_folders(jobs, known, sweep.folder)
        extended(known, sweep.command, plan).write(sweep.folder)
        waiting = sweep.unfinished(plan)
        done = len(plan) - len(waiting)
        log.info("sweep %s: %d jobs, %d of them complete, in %s", sweep.name, len(plan), done, sweep.folder)
        sweep.launch([(job, ()) for job in waiting])
        _raise_if_failed(sweep, sweep.unfinished(waiting), len(plan))


def _raise_if_failed(sweep: Sweep, failed: Sequence[Job], jobs: int) -> None:
    if not failed:
        return
    reasons = [f"{job.folder} ({sweep.reason(job)})" for job in failed[:MAX_REPORTED]]
    more = f" and {len(failed) - MAX_REPORTED} more" if len(failed) > MAX_REPORTED else ""
    raise UserError(
        f"{len(failed)} of {jobs} jobs failed: {'; '.join(reasons)}{more}; the same command with "
        f"sweep.name={sweep.folder.name} repeats them and skips the others"
    )
