"""The command line of an entry point: flags and overrides in, an exit status out, a mistake in one line."""

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from hydra import version
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import env_override, setup_globals
from hydra.errors import HydraException, InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latentlab.config.completion import further_keys
from latentlab.config.composition import CheckedLoader, new_run_name
from latentlab.config.config_dir import config_dir
from latentlab.config.flags import parsed_flags, parser
from latentlab.config.help import help_text
from latentlab.config.hydra_internals import hydra_of, search_path
from latentlab.config.instantiation import refusal
from latentlab.config.messages import from_omegaconf, one_line
from latentlab.config.quoting import bare, literal
from latentlab.errors import ConfigError, UserError
from latentlab.processes.launcher import common_name, started

Job = Callable[[DictConfig], float | None]

log = logging.getLogger(__name__)
failures = logging.getLogger("latentlab.failure")

MAX_MESSAGE = 2000  # characters of an error line
READER_GONE = 141  # 128 + SIGPIPE, the exit status that shells use


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


def exit_status(run: Callable[[], int]) -> int:
    """That of a command line: what `run` returns, or else what it raises means.

    1 after a user's mistake, which is one line on stderr, `error: KEY: ...`; 130 after Ctrl-C; that of a SystemExit;
    141 without any output where nobody reads stdout, as after `| head -1`.

    Raises:
        Exception: any exception that is not a user's mistake.
    """
    try:
        status = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            return READER_GONE
        message = mistake(error)
        if message is None:
            raise
        if len(message) > MAX_MESSAGE:  # the mistake is at the beginning, the way out at the end
            message = f"{message[: MAX_MESSAGE // 2]} ... {message[-MAX_MESSAGE // 2 :]}"
        print(f"error: {message}", file=sys.stderr)
        return 1
    return status


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


@contextmanager
def mistakes_raised() -> Iterator[None]:
    """Every mistake of a user's inside is raised as a UserError with its line."""
    try:
        yield
    except Exception as error:
        message = None if isinstance(error, UserError) else mistake(error)
        if message is None:
            raise
        raise UserError(message) from error


def mistake(error: Exception) -> str | None:
    """A user's mistake in one line; None for any other exception, which keeps its traceback."""
    name = type(error).__name__  # of classes of torch and Lightning, which are not imported here
    if isinstance(error, InstantiationException):
        return refusal(error)
    if isinstance(error, OmegaConfBaseException):
        return from_omegaconf(error)
    if isinstance(error, UserError | HydraException) or name == "MisconfigurationException":
        return one_line(str(error))
    if name in ("OutOfMemoryError", "MemoryError") or "can't allocate memory" in str(error):
        return "out of memory; lower data.batch_size, model.latent_dim or net.widths, or free the device"
    if isinstance(error, ValueError) and isinstance(error.__cause__, OSError):  # logging's, of a log file
        return mistake(error.__cause__)
    if isinstance(error, OSError):  # a full or read-only disk, a file where a folder should be
        key, advice = (error.filename, "; see paths.output_dir") if error.filename else ("paths.output_dir", "")
        return one_line(f"{key}: {error.strerror or error}{advice}")
    return None


def _reader_has_gone() -> bool:
    """Whether stdout, and not another pipe, is the broken one; what is left in it is then dropped."""
    try:
        print(flush=True)  # a flush alone passes where the failed print has emptied the buffer
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return True
    return False


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
    return f"{key}={literal(bare(value))}" if key == "sweep.name" and "${" not in value else override


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
