"""`resume=FOLDER` on the command line is replaced by the overrides of the run in FOLDER."""

import os
import re
from contextlib import suppress
from pathlib import Path

from latentlab.config.quoting import bare, literal
from latentlab.config.schema import PLAIN
from latentlab.errors import UserError
from latentlab.runs import Run
from latentlab.runs.format import other_version
from latentlab.runs.layout import OVERRIDES

FOLDER_KEYS = ("hydra.run.dir", "hydra.output_subdir")


def resuming_arguments(arguments: list[str]) -> list[str]:
    """The overrides of the run in FOLDER, replaced by those given now; the arguments themselves without `resume=`.

    The run is resumed in its folder, whose saved config is not changed. FOLDER may hold commas and equal signs, as the
    folders of a sweep do.

    Raises:
        UserError: FOLDER is no run's folder, or another folder is given for the resumed run.
    """
    given = dict(map(_split, arguments))
    folder = given.pop("resume", "null")
    if folder == "null":
        return arguments
    stray = given.keys() & {"-m", "--multirun", "hydra.mode", "hydra.run.dir"}
    if stray and "LOCAL_RANK" not in os.environ:  # the processes of further devices are started with hydra.run.dir
        raise UserError(f"resume: a run is resumed in its own folder; leave out {min(stray)}")
    if not (Path(folder) / OVERRIDES).is_file():
        raise UserError(f"resume: {folder} is not a run's folder: it holds no {OVERRIDES}")
    other_version(Run(folder), "resume")  # before its config, which may be none of this version's, is composed
    own = [argument for argument in _overrides(Run(folder)) if _split(argument)[0] not in given]
    now = [argument for argument in arguments if _split(argument)[0] not in ("resume", *FOLDER_KEYS)]
    if "data.name" not in {_split(argument)[0] for argument in [*own, *now]}:
        now += _data_name(Run(folder))
    return [*own, *now, f"resume={literal(folder)}", f"hydra.run.dir={literal(folder)}", "hydra.output_subdir=null"]


def _overrides(run: Run) -> list[str]:
    """The overrides that the run was started with.

    Raises:
        UserError: the file is damaged, or holds what Hydra never writes there: flags, Hydra's own settings, which may
            name any code, or files outside the folders of configs.
    """
    file = run.folder / OVERRIDES
    try:
        content = run.read_overrides()
    except UserError as error:
        raise UserError(f"resume: {file.parent}/{error}; start a new run") from error
    for line in content:
        key, value = _split(line)
        leaves = ".." in value and "." not in key and key not in PLAIN  # the folder of an option's file
        if re.match(r"[+~]*hydra\b|-", line) or ".." in key or leaves or not _is_override(line):
            raise UserError(f"resume: {file} is damaged ({line[:60]!r} is no override of a run); start a new run")
    return content


def _is_override(line: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(line)
    except HydraException:
        return False
    return True


def _data_name(run: Run) -> list[str]:
    """The override by which data keeps the name that the run was trained with, also where it was moved."""
    with suppress(UserError, AttributeError):
        if run.last_checkpoint and (name := run.read_config()["data"].get("name")):
            return [f"data.name={literal(str(name))}"]
    return []


def _split(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, bare(value)
