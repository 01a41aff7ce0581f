"""The runs that are compared: those of a sweep's folder, or those in given folders."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from latentlab.errors import UserError, nearest
from latentlab.report.reading.groups import first_of
from latentlab.report.reading.records import Record, read_record
from latentlab.report.reading.trials import Search, read_search
from latentlab.report.statistics.measures import counted
from latentlab.runs import Run
from latentlab.runs.documents import Damaged, json_of, lies_within
from latentlab.runs.layout import CONFIG, MANIFEST, SWEEPS

MAX_NAMED = 5
COMMAND = "latentlab train -m"  # whose arguments are recorded
NOT_IN_DOUBLE_QUOTES = {*'"$`\\!'}


@final
@dataclass(frozen=True)
class RunSet:
    """The runs of a report, the name of the set, the commands that started them, and notes on damage.

    search: the search that drew the runs, if any.
    """

    name: str
    records: tuple[Record, ...]
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    search: Search | None = None


def find_sweep(name: str, outputs: Path) -> Path:
    """The folder of a sweep: `outputs/sweeps/NAME`, or else NAME as a path.

    Raises:
        UserError: there is neither.
    """
    sweeps = outputs / SWEEPS
    if name and Path(name).name == name and name not in (".", "..") and (sweeps / name).is_dir():
        return sweeps / name
    if name and Path(name).is_dir():
        return Path(name)
    known = sorted(path.name for path in sweeps.iterdir() if path.is_dir()) if sweeps.is_dir() else []
    near = nearest(name, known) or known[-3:]
    hint = f"there are {', '.join(near)}" if near else f"{sweeps} holds none, paths.output_dir=FOLDER looks elsewhere"
    raise UserError(f"sweep: no sweep {name!r} in {sweeps}, and no such folder; {hint}")


def read_sweep(folder: Path) -> RunSet:
    """The runs of a sweep's folder: the jobs of its sweep.json, or every run below where there is none.

    Raises:
        UserError: there is no run in it.
    """
    found = sorted(run_folders(folder))
    search, notes_on_search = read_search(folder)
    try:
        jobs, name, commands = _jobs(folder)
    except Damaged as error:
        name, commands, reason = "", (), f"a run's folder holds {CONFIG}"
        records = [read_record(folder / path, path) for path in found]
        notes = [f"{error}: every run below the folder is included"]
    else:
        reason = f"its {MANIFEST} lists no job"
        records, notes = _records(folder, jobs)
        listed = {record.name for record in records}
        if others := [path for path in found if path not in listed]:
            notes.append(f"not in {MANIFEST}, and skipped: {first_of(others, MAX_NAMED)}")
    if not records:
        raise UserError(f"sweep: no runs in {folder}; {reason}")
    if not name or folder.resolve().parent.name == SWEEPS:  # where it may have been renamed
        name = folder.resolve().name
    return RunSet(name, tuple(records), commands, (*notes, *notes_on_search), search)


def read_runs(folders: Sequence[Path]) -> RunSet:
    """The runs of these folders.

    Raises:
        UserError: one of them holds no run, or there are none.
    """
    if not folders:
        raise UserError("runs: expected the folder of a run or more, found none")
    for folder in folders:
        if not Run(folder).holds_anything:
            Run(folder).refuse_other_folder("runs: ")
    unique = list({folder.resolve(): folder for folder in folders}.values())
    return RunSet(counted(len(unique), "run"), tuple(read_record(folder, str(folder)) for folder in unique))


def run_folders(folder: Path) -> list[str]:
    """The paths, relative to the folder, of the run folders in it; links are not followed, nor run folders searched."""
    found = []
    for path, inner, _ in os.walk(folder):
        if Path(path) != folder and Run(path).holds_anything:
            found.append(Path(path).relative_to(folder).as_posix())
            inner.clear()
    return found


def _jobs(folder: Path) -> tuple[list[Any], str, tuple[str, ...]]:
    """The jobs, the name and the commands in the folder's sweep.json."""
    if not (folder / MANIFEST).exists():
        raise Damaged(f"{MANIFEST} is missing")
    content = json_of(folder / MANIFEST)
    jobs, name = content.get("jobs"), content.get("name")
    if not isinstance(jobs, list):
        raise Damaged(f"{MANIFEST} is damaged (its jobs are not a list)")
    return jobs, name if isinstance(name, str) else "", _commands(content)


def _commands(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The command lines, as a shell reads them; 0.1 recorded the last one alone."""
    listed = content.get("commands", [content.get("command")])
    found = [command for command in listed if isinstance(command, list)] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(" ".join([COMMAND, *map(_for_shell, words)]) for words in found))


def _for_shell(word: object) -> str:
    """The word as a shell reads it, in double quotes where it has single ones of Hydra's, such as name='first'."""
    text = str(word)
    return f'"{text}"' if "'" in text and not NOT_IN_DOUBLE_QUOTES & {*text} else shlex.quote(text)


def _records(folder: Path, jobs: list[Any]) -> tuple[list[Record], list[str]]:
    records: dict[str, Record] = {}
    refused = []
    for job in jobs:
        name = job.get("folder") if isinstance(job, dict) else None
        if not isinstance(name, str) or not lies_within(name, folder):
            refused.append(str(name)[:120])
            continue
        overrides = job.get("overrides")
        given = [line for line in overrides if isinstance(line, str)] if isinstance(overrides, list) else []
        path = Path(name).as_posix()
        records.setdefault(path, read_record(folder / path, path, given))
    listed = first_of(refused, MAX_NAMED)
    notes = [f"refused, as these job folders of {MANIFEST} lie outside of it: {listed}"] if refused else []
    return list(records.values()), notes
