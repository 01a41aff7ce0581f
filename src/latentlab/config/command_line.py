"""The command line of an entry point: flags and overrides in, an exit status out, a mistake in one line."""

import logging
import os
import re
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from hydra import version
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import env_override, setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from latentlab.config.completion import further_keys
from latentlab.config.composition import CheckedLoader, new_run_name
from latentlab.config.config_dir import config_dir, refuse_shadowed
from latentlab.config.exit_status import exit_status, mistake, mistakes_raised
from latentlab.config.flags import parsed_flags, parser
from latentlab.config.help import help_text
from latentlab.config.hydra_internals import hydra_of, search_path
from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError
from latentlab.processes.launcher import common_name, started

Job = Callable[[DictConfig], float | None]

PLAIN_NAME = re.compile(r"[a-zA-Z_][\w-]*", re.ASCII)  # which Hydra reads as text
NO_TEXT = ("null", "true", "false", "nan", "inf")  # but for these

log = logging.getLogger(__name__)
failures = logging.getLogger("latentlab.failure")


def run_hydra(
    job: Job,
    config_name: str,
    argv: Sequence[str],
    prepared: Callable[[list[str]], list[str]] = list,
    check: Callable[[DictConfig], None] | None = None,
    sweeps: bool = False,
) -> int:
    """Run the job once, or as a sweep with `-m`, on the config that the arguments describe.

    prepared: turns the arguments as they are typed into those that Hydra reads; may raise UserError.
    check: what else refuses the config of a single run, before its folder is made, by a UserError.
    sweeps: whether `-m` is allowed.

    Returns the exit status, see `exit_status`.

    Raises:
        Exception: any exception of the job that is not a user's mistake.
    """

    def run() -> int:
        flags = parsed_flags(prepared(list(argv)))
        with env_override({"HYDRA_FULL_ERROR": "1"}):  # so that Hydra raises where it would print and exit
            _dispatch(flags, job, config_name, check, sweeps)
        return 0

    return exit_status(run)


def run_in_python(
    job: Job,
    config_name: str,
    overrides: Sequence[str],
    config_dir: str | Path | None,
    check: Callable[[DictConfig], None] | None = None,
) -> None:
    """Run the job once, as `run_hydra` does, for a caller in Python: every mistake is raised.

    config_dir: a folder of further configs.

    Raises:
        UserError: a user's mistake. Exception: any other exception of the job.
    """
    if flags := [override for override in overrides if override.startswith("-")]:
        raise ConfigError(f"{flags[0]}: expected KEY=VALUE; flags are for the command line")
    folder = [] if config_dir is None else ["--config-dir", str(config_dir)]
    with mistakes_raised(), env_override({"HYDRA_FULL_ERROR": "1"}):
        _dispatch(parsed_flags([*folder, *overrides]), job, config_name, check, sweeps=False)


def composed(config_name: str, overrides: Sequence[str], folder: str | Path | None) -> DictConfig:
    """The checked config that the overrides describe, with its hydra node. folder: of further configs.

    Raises:
        UserError: a mistake in them.
    """
    version.setbase("1.3")
    setup_globals()
    _store_sweeper()
    loader = loader_of(None if folder is None else Path(folder).absolute(), checks=True)
    return loader.load_configuration(config_name, [*overrides], RunMode.RUN)


def loader_of(folder: Path | None, checks: bool = False) -> CheckedLoader:
    """Of the shipped configs and those of a folder. checks: whether it checks what it composes."""
    if folder is not None:
        refuse_shadowed(folder)
    return CheckedLoader(search_path(config_dir(), folder), common_name(new_run_name()), checks)


def _dispatch(
    flags: Namespace, job: Job, config_name: str, check: Callable[[DictConfig], None] | None, sweeps: bool
) -> None:
    version.setbase("1.3")
    _store_sweeper()
    logging.raiseExceptions = False  # a record that cannot be written, as on a full disk, prints no traceback
    config_name, overrides = flags.config_name or config_name, flags.overrides
    composes = not (flags.help or flags.hydra_help or flags.shell_completion)
    loader = loader_of(flags.config_dir, composes)
    with hydra_of(loader, config_name) as hydra:
        if flags.help:
            print(help_text(config_name, loader.groups, overrides))
        elif flags.hydra_help:
            hydra.hydra_help(config_name, parser(), flags)
        elif flags.cfg:
            hydra.show_cfg(config_name, overrides, flags.cfg, flags.package, flags.resolve)
        elif flags.info:
            hydra.show_info(flags.info, config_name, overrides)
        elif flags.shell_completion:
            if not overrides:
                raise ConfigError(
                    "--shell-completion: is Hydra's own, see --hydra-help; `latentlab completion` has ours"
                )
            hydra.shell_completion(config_name, overrides)
            print(*further_keys(os.environ.get("COMP_LINE", ""), config_name, loader), sep="\n")
        elif flags.multirun or "hydra.mode=MULTIRUN" in overrides:
            if not sweeps:
                raise ConfigError("-m: only `latentlab train` runs sweeps; here leave it out, see --help")
            hydra.multirun(config_name, _Logged(job, in_sweep=True), _of_a_sweep(overrides))
        else:
            loader.also_check = check
            logged = _Logged(job)
            hydra.run(config_name, logged, overrides)
            if logged.error is not None:
                raise logged.error


def _store_sweeper() -> None:
    """Make the grid Hydra's default sweeper; recipes and users may choose another one.

    Once in a process: storing it again would discard the configs composed so far.
    """
    Plugins.instance()  # stores Hydra's own under this name
    if ConfigStore.instance().load("hydra/sweeper/basic.yaml").provider == "latentlab":
        return
    grid = OmegaConf.create({"_target_": "hydra_plugins.latentlab_sweepers.GridSweeper", "params": {}})
    ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=grid, provider="latentlab")


def _of_a_sweep(overrides: list[str]) -> list[str]:
    if started() > 1:
        raise ConfigError("-m: a sweep starts the processes of its jobs itself; call it without srun and torchrun")
    named = [_with_name_as_text(override) for override in overrides if override != "sweep.name=null"]
    has_folder = any(override.startswith(("sweep.name=", "hydra.sweep.dir=")) for override in named)
    return [*named, *([] if has_folder else ["sweep.name=${run_name:}"]), "hydra.mode=MULTIRUN"]


def _with_name_as_text(override: str) -> str:
    """A sweep's name in quotes, which Hydra would read as a number, a list or several values."""
    key, _, value = override.partition("=")
    if key != "sweep.name" or "${" in value or (PLAIN_NAME.fullmatch(value) and value.lower() not in NO_TEXT):
        return override
    return f"{key}={literal(bare(value))}"


@final
@dataclass
class _Logged:
    """A job whose exception is written to its log.

    In a sweep, perhaps in a worker process, it is also printed, and raised. Of a single run it is kept as `error`:
    Hydra would print a line of its own about it.
    """

    job: Job
    in_sweep: bool = False
    error: Exception | None = field(default=None, init=False)

    def __call__(self, config: DictConfig) -> float | None:
        try:
            return self.job(config)
        except Exception as error:
            message = mistake(error)
            failures.error("%s", message or type(error).__name__, exc_info=error)
            if self.in_sweep:
                log.error("failed: %s", message or f"{type(error).__name__}: {error}")
                raise
            self.error = error
            return None
