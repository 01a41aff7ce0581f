"""The argument of a command about one run: its folder."""

from pathlib import Path

from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError
from latentlab.runs import Run


def with_folder(command: str, arguments: list[str]) -> list[str]:
    """The arguments, with the run's folder quoted (it may hold commas and equal signs) and set as the log's folder.

    Raises:
        UserError: no folder is named, or it is no run's.
    """
    configs, others = _config_dir(arguments)
    if any(argument.startswith("-") for argument in others):
        return arguments
    given = [argument for argument in others if _names_folder(argument)]
    if not given:
        raise ConfigError(f"run: missing; give its folder: latentlab {command} outputs/runs/FOLDER")
    if len(given) > 1:
        raise ConfigError(f"run: expected one folder, found {len(given)}: {', '.join(given)}")
    folder = bare(given[-1].removeprefix("run="))
    Run(folder).refuse_other_folder("run: ")
    rest = [argument for argument in others if not _names_folder(argument)]
    return [*rest, f"run={literal(folder)}", f"hydra.run.dir={literal(folder)}", *configs]


def _config_dir(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The flag `--config-dir FOLDER`, and the other arguments."""
    for index, argument in enumerate(arguments):
        if argument in ("-cd", "--config-dir"):
            return arguments[index : index + 2], [*arguments[:index], *arguments[index + 2 :]]
        if argument.startswith("--config-dir="):
            return [argument], [*arguments[:index], *arguments[index + 1 :]]
    return [], arguments


def _names_folder(argument: str) -> bool:
    """Whether it is `run=FOLDER`, or FOLDER itself, whose name may have equal signs."""
    key, equals, _ = argument.partition("=")
    return key == "run" or not (equals or key.startswith("~")) or Path(argument).is_dir()
