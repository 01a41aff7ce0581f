"""Autoencoders, trained, swept and compared on one yardstick.

In Python: `import latentlab as ll`, and the names below. Each is imported when it is first used, so that the command
line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latentlab.commands.python.actions import evaluate, load, train
    from latentlab.commands.python.arrays import ArrayData
    from latentlab.commands.python.building import build
    from latentlab.commands.python.trained_run import TrainedRun
    from latentlab.errors import UserError
    from latentlab.models.ae import AE
    from latentlab.models.base import Autoencoder, Terms
    from latentlab.models.codec import Encoding
    from latentlab.models.cvae import CVAE
    from latentlab.models.denoising_ae import DenoisingAE
    from latentlab.models.parts import Parts
    from latentlab.models.sparse_ae import SparseAE
    from latentlab.models.vae import VAE

# `report` is the package of that name, which can be called
__all__ = [
    "AE",
    "CVAE",
    "VAE",
    "ArrayData",
    "Autoencoder",
    "DenoisingAE",
    "Encoding",
    "Parts",
    "SparseAE",
    "Terms",
    "TrainedRun",
    "UserError",
    "build",
    "evaluate",
    "load",
    "report",
    "train",
]

_PLACES = {
    "AE": "models.ae",
    "ArrayData": "commands.python.arrays",
    "Autoencoder": "models.base",
    "CVAE": "models.cvae",
    "DenoisingAE": "models.denoising_ae",
    "Encoding": "models.codec",
    "Parts": "models.parts",
    "SparseAE": "models.sparse_ae",
    "Terms": "models.base",
    "TrainedRun": "commands.python.trained_run",
    "UserError": "errors",
    "VAE": "models.vae",
    "build": "commands.python.building",
    "evaluate": "commands.python.actions",
    "load": "commands.python.actions",
    "train": "commands.python.actions",
}


def __getattr__(name: str) -> Any:
    if name == "report":
        return import_module("latentlab.report")
    if name not in _PLACES:
        raise AttributeError(f"module 'latentlab' has no attribute {name!r}")
    return getattr(import_module(f"latentlab.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
