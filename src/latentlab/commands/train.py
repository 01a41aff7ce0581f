"""Train one model, or a sweep of them: `python -m latentlab train model=vae net=mlp data=mnist`.

Nothing here imports torch before the config is known to be sound, so that a typing mistake is answered at once.
"""

from latentlab.commands.job import job, refuse_unsound
from latentlab.config import run_hydra
from latentlab.config.quoting import bare, literal
from latentlab.config.resume_arguments import resuming_arguments
from latentlab.errors import ConfigError
from latentlab.runs.files import is_name


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    return run_hydra(job, "train", arguments, of_a_training, refuse_unsound, sweeps=True)


def of_a_training(arguments: list[str]) -> list[str]:
    """The arguments as Hydra reads them: `name=` and a folder of weights as texts, and no `resume=` any more.

    Raises:
        UserError: see `resuming_arguments`; or a name is given to a sweep.
    """
    named = [argument for argument in arguments if argument.startswith("name=")]
    for argument in named:
        name = bare(argument.removeprefix("name="))
        if not is_name(name):
            raise ConfigError(f"name: expected the name of a folder, without / and $, found {name[:60]!r}")
    if named and any(argument.startswith("resume=") and argument != "resume=null" for argument in arguments):
        raise ConfigError("name: the run to resume keeps its name; leave it out")
    is_sweep = bool({"-m", "--multirun"} & set(arguments))
    if named and is_sweep:
        raise ConfigError(
            "name: it names a single run; a sweep is named by sweep.name=NAME, and its runs by their values"
        )
    texts = [_as_text(argument) if argument in named else argument for argument in arguments]
    return resuming_arguments([_with_quoted_folder(argument, is_sweep) for argument in texts])


def _with_quoted_folder(argument: str, is_sweep: bool) -> str:
    """`initial_weights=FOLDER` with quotes, for a folder such as seed=0; in a sweep a comma separates two folders."""
    key, _, value = argument.partition("=")
    if key != "initial_weights" or value == "null" or value[:1] in ("'", '"'):
        return argument
    return f"{key}={','.join(map(literal, value.split(',') if is_sweep else [value]))}"


def _as_text(argument: str) -> str:
    name = bare(argument.removeprefix("name="))
    return argument if name == "null" else f"name={literal(name)}"
