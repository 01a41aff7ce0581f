"""The command line of an entry point: flags and overrides in, an exit status out, a mistake in one line."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, final

from hydra import version
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import env_override
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latentlab.config.composition import CheckedLoader, new_run_name
from latentlab.config.config_dir import config_dir
from latentlab.config.help import help_text
from latentlab.config.instantiation import refusal
from latentlab.config.messages import from_omegaconf, one_line
from latentlab.errors import ConfigError, UserError
from latentlab.processes.launcher import common_name, started

Job = Callable[[DictConfig], float | None]

log = logging.getLogger(__name__)
failures = logging.getLogger("latentlab.failure")

MOST_TOLD = 2000  # letters of a mistake
MOST_TYPED = 10_000  # letters of an override: Hydra's parser takes many seconds over some
READER_GONE = 141  # 128 + SIGPIPE, as a shell has it


def run_hydra(
    job: Job,
    config_name: str,
    argv: Sequence[str],
    prepared: Callable[[list[str]], list[str]] = list,
    sweeps: bool = False,
) -> int:
    """Run the job once, or as a sweep with `-m`, on the config that the arguments describe.

    sweeps: whether `-m` is allowed.
    prepared: the arguments as they are typed -> as Hydra reads them; what it raises is told like any other mistake.

    Returns the exit status: a user's mistake is one line on stderr, `error: KEY: ...`, and status 1; Ctrl-C
    is 130; a SystemExit of the job gives its own. Where nobody reads stdout any more, as after `| head -1`, it
    ends without a word. Any other exception of the job is raised on.
    """
    try:
        flags = _flags(prepared(list(argv)))
        with env_override({"HYDRA_FULL_ERROR": "1"}):  # so that Hydra raises where it would print and exit
            _dispatch(flags, job, config_name, sweeps)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        return _status(stop)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            return READER_GONE
        message = told(error)
        if message is None:
            raise
        print(f"error: {_shortened(message)}", file=sys.stderr)
        return 1
    return 0


def _shortened(message: str) -> str:
    """Without the middle of what somebody pasted; a mistake is told at the beginning, the way out at the end."""
    return message if len(message) <= MOST_TOLD else f"{message[: MOST_TOLD // 2]} ... {message[-MOST_TOLD // 2 :]}"


def told(error: Exception) -> str | None:
    """A user's mistake in one line; None for anything else, which keeps its traceback."""
    if isinstance(error, UserError):
        return one_line(str(error))
    if isinstance(error, InstantiationException):
        return refusal(error)
    if isinstance(error, OmegaConfBaseException):
        return from_omegaconf(error)
    if isinstance(error, HydraException):
        return one_line(str(error))
    if type(error).__name__ == "MisconfigurationException":  # Lightning's, which is not imported here
        return one_line(str(error))
    if type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error):  # torch's, likewise
        return "out of memory; lower data.batch_size, model.latent_dim or net.widths, or free the device"
    if isinstance(error, ValueError) and isinstance(error.__cause__, OSError):  # logging's, of a log file
        return told(error.__cause__)
    if isinstance(error, OSError):  # a full or read-only disk, a file where a folder should be
        where, seen = (error.filename, "; see paths.output_dir") if error.filename else ("paths.output_dir", "")
        return one_line(f"{where}: {error.strerror or error}{seen}")
    return None


def _reader_has_gone() -> bool:
    """Whether stdout, and not another pipe, is the broken one; what is left in it is then dropped."""
    try:
        print(flush=True)  # a flush alone passes where the failed print has emptied the buffer
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return True
    return False


def _flags(argv: Sequence[str]) -> argparse.Namespace:
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        dashed = [argument for argument in argv if argument.startswith("--") and "=" in argument]
        hint = f"; keys are written without dashes: {dashed[0].lstrip('-')}" if dashed else "; see --help"
        raise ConfigError(message + hint)

    parser.error = refuse  # type: ignore[method-assign]
    flags = parser.parse_intermixed_args(list(argv))
    for override in flags.overrides:
        if len(override) > MOST_TYPED and not override.startswith("runs="):  # which may name many folders
            raise ConfigError(f"{override[:60]}...: expected at most {MOST_TYPED} letters, found {len(override)}")
    return flags


def _dispatch(flags: argparse.Namespace, job: Job, config_name: str, sweeps: bool) -> None:
    asked = [name for name in ("run", "multirun", "cfg", "info", "shell_completion") if getattr(flags, name)]
    if len(asked) > 1:
        raise ConfigError(f"only one of --{', --'.join(asked).replace('_', '-')} at a time")
    if flags.resolve and not (flags.cfg or flags.help):
        raise ConfigError("--resolve: goes with --cfg or --help")
    for flag in ("config_path", "experimental_rerun"):
        if getattr(flags, flag):
            raise ConfigError(f"--{flag.replace('_', '-')}: not supported; --config-dir adds a folder of configs")
    version.setbase("1.3")
    _store_sweeper()
    logging.raiseExceptions = False  # what cannot be logged, as on a full disk, is no traceback
    config_name = flags.config_name or config_name
    helps = flags.help or flags.hydra_help or flags.shell_completion
    loader = CheckedLoader(_search_path(flags.config_dir), common_name(new_run_name()), checks=not helps)
    hydra = Hydra(task_name=config_name, config_loader=loader)
    GlobalHydra.instance().clear()
    GlobalHydra.instance().initialize(hydra)
    try:
        _follow(hydra, loader, flags, job, config_name, sweeps)
    finally:
        GlobalHydra.instance().clear()


def _store_sweeper() -> None:
    """Put the grid in the place of Hydra's own default sweeper; recipes and users may choose another one."""
    Plugins.instance()  # stores Hydra's own under this name
    grid = OmegaConf.create({"_target_": "hydra_plugins.latentlab_sweepers.GridSweeper", "params": {}})
    ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=grid, provider="latentlab")


def _follow(
    hydra: Hydra, loader: CheckedLoader, flags: argparse.Namespace, job: Job, config_name: str, sweeps: bool
) -> None:
    overrides = flags.overrides
    if flags.help:
        print(help_text(config_name, loader.groups))
    elif flags.hydra_help:
        hydra.hydra_help(config_name, get_args_parser(), flags)
    elif flags.cfg:
        hydra.show_cfg(config_name, overrides, flags.cfg, flags.package, flags.resolve)
    elif flags.info:
        hydra.show_info(flags.info, config_name, overrides)
    elif flags.shell_completion:
        hydra.shell_completion(config_name, overrides)
    elif flags.multirun or "hydra.mode=MULTIRUN" in overrides:
        if not sweeps:
            raise ConfigError("-m: only `latentlab train` runs sweeps")
        _sweep(hydra, job, config_name, overrides)
    else:
        once = _Once(job)
        hydra.run(config_name, once, overrides)
        if once.error is not None:
            raise once.error


def _sweep(hydra: Hydra, job: Job, config_name: str, overrides: list[str]) -> None:
    if started() > 1:
        raise ConfigError("-m: a sweep starts the processes of its jobs itself; call it without srun and torchrun")
    placed = any(override.startswith(("sweep.name=", "hydra.sweep.dir=")) for override in overrides)
    named = [] if placed else ["sweep.name=${run_name:}"]
    hydra.multirun(config_name, _Reporting(job), [*overrides, *named, "hydra.mode=MULTIRUN"])


@final
@dataclass
class _Once:
    """A single run. Hydra prints a line about an exception that it sees: this one waits for its end."""

    job: Job
    error: Exception | None = field(default=None)

    def __call__(self, config: DictConfig) -> float | None:
        try:
            return self.job(config)
        except Exception as error:
            _record(error)
            self.error = error
            return None


@final
@dataclass(frozen=True)
class _Reporting:
    """A job of a sweep, perhaps in a worker process: an exception is told where it happens, and raised on."""

    job: Job

    def __call__(self, config: DictConfig) -> float | None:
        try:
            return self.job(config)
        except Exception as error:
            _record(error)
            log.error("failed: %s", told(error) or f"{type(error).__name__}: {error}")
            raise


def _record(error: Exception) -> None:
    """The whole story into the job's log."""
    failures.error("%s", told(error) or type(error).__name__, exc_info=error)


def _search_path(extra: str | None) -> Any:
    path = create_config_search_path(str(config_dir()))
    assert isinstance(path, ConfigSearchPathImpl)
    if extra is not None:
        folder = Path(extra).absolute()
        if not folder.is_dir():
            raise ConfigError(f"--config-dir: no folder {folder}")
        path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    return path


def _status(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    print(stop.code, file=sys.stderr)
    return 1
