"""What a run sets for its whole process is restored for the caller."""

import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import RLock

import lightning.pytorch  # noqa: F401  # before the snapshot: its import sets up loggers of its own
import numpy as np
import torch
from hydra.core.singleton import Singleton

from latentlab.config.signatures import forget_signatures
from latentlab.errors import Interrupted, UserError

ONE_AT_A_TIME = RLock()  # of the process's threads: Hydra and the log are those of the whole process
SHARED = 2**16  # numbers for each thread, more than PyTorch leaves to one
OWN_LOGGERS = ("latentlab", "hydra", "hydra_plugins")


@contextmanager
def as_the_command_line(arguments: Sequence[str]) -> Iterator[None]:
    """What runs inside may do what a command does to its process, which is given those arguments.

    Random generators, torch's switches, the environment, log handlers, warning filters and Hydra's state are restored.

    Other threads wait.

    Raises:
        UserError: the caller has switched on what would change the run: autocast or inference mode.
        KeyboardInterrupt: SIGINT stopped the run, which has saved its state. Of any other signal the caller's own
            handling comes next.
    """
    if torch.is_inference_mode_enabled() or any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
        raise UserError(
            "called within torch.autocast or torch.inference_mode, which would change the result; call it outside "
            "(trainer.precision=bf16-mixed trains in bfloat16)"
        )
    with ONE_AT_A_TIME:
        yield from _as_the_command_line(arguments)


def _as_the_command_line(arguments: Sequence[str]) -> Iterator[None]:
    forget_signatures()
    _start_threads_of_torch()
    undo = [_hydra(), _torch_switches(), _environment(), _loggers(), _random_generators()]
    before, sys.argv = sys.argv, ["latentlab", *arguments]  # which starts the processes of further devices
    try:
        with warnings.catch_warnings():
            yield
    except Interrupted as stop:
        signal.raise_signal(stop.signal_number)
        raise KeyboardInterrupt from stop
    finally:
        sys.argv = before
        for restore in undo:
            restore()


def _start_threads_of_torch() -> None:
    """With the caller's arithmetic, which they keep: in the thread of a run there are no subnormal numbers."""
    torch.ones(SHARED * torch.get_num_threads()).mul_(1)


def _random_generators() -> Callable[[], None]:
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    return restore


def _torch_switches() -> Callable[[], None]:
    deterministic, warn = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    grad, precision = torch.is_grad_enabled(), torch.get_float32_matmul_precision()
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)

    def restore() -> None:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn)
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn

    return restore


def _environment() -> Callable[[], None]:
    before = dict(os.environ)

    def restore() -> None:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)

    return restore


def _loggers() -> Callable[[], None]:
    raises = logging.raiseExceptions
    found = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    states = [(each, each.handlers[:], each.level, each.propagate, each.disabled) for each in found]

    def restore() -> None:
        logging.raiseExceptions = raises
        own = [each for name, each in logging.root.manager.loggerDict.items() if name.startswith(OWN_LOGGERS)]
        new = [each for each in own if isinstance(each, logging.Logger) and each not in found]
        for logger, handlers, level, propagate, disabled in [*states, *((each, [], 0, True, False) for each in new)]:
            for handler in set(logger.handlers) - set(handlers):
                handler.close()
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled

    return restore


def _hydra() -> Callable[[], None]:
    return partial(Singleton.set_state, Singleton.get_state())
