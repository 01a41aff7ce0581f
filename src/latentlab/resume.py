"""`resume=FOLDER` on the command line: the run's own overrides come back, so that the folder alone is enough."""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import UserError


def resuming_arguments(arguments: list[str]) -> list[str]:
    """The arguments of the run in FOLDER, with those given now in their place; unchanged without `resume=`.

    The run goes on in its folder, whose saved config is left as it is.

    Raises:
        UserError: FOLDER is no run's folder.
    """
    folder = next((value for name, value in map(_split, arguments) if name == "resume" and value != "null"), None)
    if folder is None:
        return arguments
    saved = Path(folder) / ".hydra" / "overrides.yaml"
    if not saved.is_file():
        raise UserError(f"resume: {folder} is not a run's folder: it holds no .hydra/overrides.yaml")
    from omegaconf import OmegaConf

    own = [*OmegaConf.load(saved), f"hydra.run.dir='{folder}'", "hydra.output_subdir=null"]
    given = {_split(argument)[0] for argument in arguments}
    return [*(argument for argument in own if _split(argument)[0] not in given), *arguments]


def _split(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, value.strip("'\"")
