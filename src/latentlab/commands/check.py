"""`make check`: a small fixed sweep, trained anew, whose figures are held to the recorded ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.commands.job import job
from latentlab.commands.keys_only import run_keys_only, sweep_folder
from latentlab.config import run_hydra

if TYPE_CHECKING:
    from latentlab.report.recorded import Deviation

RECORDED = "benchmarks/check.json"
USAGE = f"""latentlab check [recorded=FILE] [record=true] [KEY=VALUE ...]
Trains sweep=check anew and holds the mean of each figure over its seeds to that in {RECORDED}.
Exit status 1 where a figure is worse by more than its tolerance. record=true writes the file instead.
Keys as in latentlab train --help, such as paths.output_dir=FOLDER hydra/launcher=joblib."""


def main(arguments: list[str]) -> int:
    """Run the sweep, compare, print a line a figure, and exit with 1 where one is worse."""
    return run_keys_only("check", USAGE, check, arguments)


def check(given: list[str]) -> int:
    """The exit status.

    Raises:
        UserError: no recorded figures, or other groups than those recorded.
    """
    from latentlab.config.composition import new_run_name
    from latentlab.report.reading.run_sets import read_sweep
    from latentlab.report.recorded import Recorded

    own = dict(argument.split("=", 1) for argument in given if argument.startswith(("recorded=", "record=")))
    file, records = Path(own.get("recorded", RECORDED)), own.get("record") == "true"
    recorded = None if records else Recorded.read(file)
    name = f"check_{new_run_name()}"
    rest = [argument for argument in given if argument.partition("=")[0] not in own]
    status = run_hydra(job, "train", ["-m", "sweep=check", *rest, f"sweep.name={name}"], sweeps=True)
    if status:
        return status
    found = Recorded.of(read_sweep(sweep_folder(name, rest)).records)
    if recorded is None:
        found.write(file)
        print(f"recorded: {file}")
        return 0
    return _told(recorded.deviations(found))


def _told(verdicts: list[Deviation]) -> int:
    for verdict in verdicts:
        print(verdict)
    worse = [verdict for verdict in verdicts if verdict.is_worse]
    print(f"{len(worse)} of {len(verdicts)} figures are worse than recorded" if worse else "as recorded, or better")
    return 1 if worse else 0
