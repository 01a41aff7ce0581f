"""The command line of an entry point: flags and overrides in, an exit status out, a mistake in one line."""

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from hydra import version
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import env_override
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latentlab.config.composition import CheckedLoader, new_run_name
from latentlab.config.config_dir import config_dir
from latentlab.config.flags import parsed_flags, parser
from latentlab.config.help import help_text
from latentlab.config.hydra_internals import Hydra, hydra_of, search_path
from latentlab.config.instantiation import refusal
from latentlab.config.messages import from_omegaconf, one_line
from latentlab.errors import ConfigError, UserError
from latentlab.processes.launcher import common_name, started

Job = Callable[[DictConfig], float | None]

log = logging.getLogger(__name__)
failures = logging.getLogger("latentlab.failure")

MOST_TOLD = 2000  # letters of a mistake
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
        flags = parsed_flags(prepared(list(argv)))
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


def _dispatch(flags: Namespace, job: Job, config_name: str, sweeps: bool) -> None:
    version.setbase("1.3")
    _store_sweeper()
    logging.raiseExceptions = False  # what cannot be logged, as on a full disk, is no traceback
    config_name = flags.config_name or config_name
    composes = not (flags.help or flags.hydra_help or flags.shell_completion)
    path = search_path(config_dir(), _extra_folder(flags.config_dir))
    loader = CheckedLoader(path, common_name(new_run_name()), checks=composes)
    with hydra_of(loader, config_name) as hydra:
        if flags.help:
            print(help_text(config_name, loader.groups))
        elif flags.hydra_help:
            hydra.hydra_help(config_name, parser(), flags)
        elif flags.cfg:
            hydra.show_cfg(config_name, flags.overrides, flags.cfg, flags.package, flags.resolve)
        elif flags.info:
            hydra.show_info(flags.info, config_name, flags.overrides)
        elif flags.shell_completion:
            hydra.shell_completion(config_name, flags.overrides)
        elif flags.multirun or "hydra.mode=MULTIRUN" in flags.overrides:
            if not sweeps:
                raise ConfigError("-m: only `latentlab train` runs sweeps")
            _sweep(hydra, job, config_name, flags.overrides)
        else:
            _run(hydra, job, config_name, flags.overrides)


def _run(hydra: Hydra, job: Job, config_name: str, overrides: list[str]) -> None:
    once = _Once(job)
    hydra.run(config_name, once, overrides)
    if once.error is not None:
        raise once.error


def _store_sweeper() -> None:
    """Put the grid in the place of Hydra's own default sweeper; recipes and users may choose another one."""
    Plugins.instance()  # stores Hydra's own under this name
    grid = OmegaConf.create({"_target_": "hydra_plugins.latentlab_sweepers.GridSweeper", "params": {}})
    ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=grid, provider="latentlab")


def _sweep(hydra: Hydra, job: Job, config_name: str, overrides: list[str]) -> None:
    if started() > 1:
        raise ConfigError("-m: a sweep starts the processes of its jobs itself; call it without srun and torchrun")
    placed = any(override.startswith(("sweep.name=", "hydra.sweep.dir=")) for override in overrides)
    named = [] if placed else ["sweep.name=${run_name:}"]
    hydra.multirun(config_name, _Reporting(job), [*overrides, *named, "hydra.mode=MULTIRUN"])


def _extra_folder(given: str | None) -> Path | None:
    if given is not None and not Path(given).is_dir():
        raise ConfigError(f"--config-dir: no folder {Path(given).absolute()}")
    return None if given is None else Path(given).absolute()


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


def _status(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    print(stop.code, file=sys.stderr)
    return 1
