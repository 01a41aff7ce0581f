"""`latentlab check`: train a small fixed sweep, and compare its metrics with the recorded ones."""

from pathlib import Path

from latentlab.commands.job import job
from latentlab.commands.keys_only import run_keys_only, sweep_folder, value_of
from latentlab.config import config_dir, run_hydra
from latentlab.errors import ConfigError
from latentlab.report.reading.run_sets import read_sweep
from latentlab.report.recorded import Recorded

USAGE = """latentlab check [recorded=FILE] [record=true] [KEY=VALUE ...]
Trains sweep=check and compares the mean of each metric over its seeds with the one recorded in FILE, by default those
of conf/sweep/check.json, which are part of the package.
Exit status 1 where a metric is worse by more than its tolerance. record=true writes FILE instead.
Keys as in latentlab train --help, such as paths.output_dir=FOLDER hydra/launcher=joblib."""


def main(arguments: list[str]) -> int:
    """Run the sweep, compare, print a line per metric, and return 1 where one is worse."""
    return run_keys_only("check", USAGE, check, arguments)


def check(given: list[str]) -> int:
    """The exit status.

    Raises:
        UserError: no recorded metrics, or other groups than those recorded.
    """
    from latentlab.config.composition import new_run_name

    record, named = value_of("record", given) or "false", value_of("recorded", given)
    if record not in ("true", "false"):
        raise ConfigError(f"record: expected true or false, found {record}")
    records = record == "true"
    if records and named is None:
        raise ConfigError("record: give the file to be written as recorded=FILE")
    file = Path(named or config_dir() / "sweep" / "check.json")
    if file.is_dir():
        raise ConfigError(f"recorded: expected a file, found the folder {file}")
    recorded = None if records else Recorded.read(file)
    name = f"check_{new_run_name()}"
    rest = [argument for argument in given if not argument.startswith(("recorded=", "record="))]
    status = run_hydra(job, "train", ["-m", "sweep=check", *rest, f"sweep.name={name}"], sweeps=True)
    if status:
        return status
    found = Recorded.of(read_sweep(sweep_folder(name, rest)).records)
    if recorded is None:
        found.write(file)
        print(f"recorded: {file}")
        return 0
    return compared(recorded, found)


def compared(recorded: Recorded, found: Recorded) -> int:
    """Print a line per metric, and return 1 where one is worse than recorded.

    Raises:
        UserError: a recorded group or metric was not found.
    """
    deviations = recorded.deviations(found)
    worse = [deviation for deviation in deviations if deviation.is_worse]
    print(*deviations, sep="\n")
    print(f"{len(worse)} of {len(deviations)} metrics are worse than recorded" if worse else "as recorded, or better")
    return 1 if worse else 0
