"""`resume=FOLDER` on the command line: the run's own overrides come back, so that the folder alone is enough."""

from __future__ import annotations

import os
from pathlib import Path

from latentlab.errors import UserError

PLACE = ("hydra.run.dir", "hydra.output_subdir")


def resuming_arguments(arguments: list[str]) -> list[str]:
    """The arguments of the run in FOLDER, with those given now in their place; unchanged without `resume=`.

    The run goes on in its folder, whose saved config is left as it is.

    FOLDER may hold commas and equal signs, as the folders of a sweep do.

    Raises:
        UserError: FOLDER is no run's folder, or the run is to go on in another one.
    """
    given = dict(map(_split, arguments))
    folder = given.pop("resume", "null")
    if folder == "null":
        return arguments
    stray = given.keys() & {"-m", "--multirun", "hydra.mode", "hydra.run.dir"}
    if stray and "LOCAL_RANK" not in os.environ:  # Lightning tells further devices the folder too
        raise UserError(f"resume: a run goes on in its own folder; leave out {min(stray)}")
    saved = Path(folder) / ".hydra" / "overrides.yaml"
    if not saved.is_file():
        raise UserError(f"resume: {folder} is not a run's folder: it holds no .hydra/overrides.yaml")
    from omegaconf import OmegaConf

    own = [argument for argument in map(str, OmegaConf.load(saved)) if _split(argument)[0] not in given]
    now = [argument for argument in arguments if _split(argument)[0] not in ("resume", *PLACE)]
    place = folder.replace("'", "\\'")
    return [*own, *now, f"resume='{place}'", f"hydra.run.dir='{place}'", "hydra.output_subdir=null"]


def _split(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value.strip("'\"")
