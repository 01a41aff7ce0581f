"""Errors of the operating system that a class of the user's own raised: the run's disk may have no part in them."""

from os.path import basename
from traceback import walk_tb
from typing import final

from lightning.pytorch import Callback, LightningDataModule
from lightning.pytorch.loggers import Logger
from torch import nn
from torch.utils.data import Dataset

from latentlab.errors import UserError

KINDS = (Callback, LightningDataModule, nn.Module, Dataset, Logger)
OTHERS = ("latentlab", "lightning", "torch", "torchvision", "torchmetrics")  # packages that are not the user's


@final
class OwnClassError(UserError):
    """A class of the user's own raised an OSError."""


def error_of_own_class(error: BaseException) -> OwnClassError | None:
    """An OSError with the method of the user's own class that it came from; None for one that came from none."""
    if not isinstance(error, OSError):
        return None
    for frame, line in reversed([*walk_tb(error.__traceback__)]):
        module, code = str(frame.f_globals.get("__name__")), frame.f_code
        if isinstance(frame.f_locals.get("self"), KINDS) and module.partition(".")[0] not in OTHERS:
            where = f"{basename(code.co_filename)}, line {line}"
            return OwnClassError(f"{module}.{code.co_qualname} raised {type(error).__name__}: {error} ({where})")
    return None
