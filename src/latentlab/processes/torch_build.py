"""A check that torch and torchvision belong together, made before anything else imports torchvision."""

from importlib.metadata import PackageNotFoundError, version

from latentlab.errors import UserError, first_line
from latentlab.processes.imports import import_quickly

REINSTALL = "install both together from one index, e.g. `pip install --force-reinstall torch torchvision`"


def import_with_torch(module: str) -> None:
    """Import a module that needs torch; refuse builds of torch and torchvision that do not match, in one line.

    It comes before Lightning is imported: torchmetrics imports torchvision, and a pair of different builds
    fails deep in there: `operator torchvision::nms does not exist`, an undefined symbol, a missing library.

    Raises:
        UserError: torchvision is missing, or it is no build for this torch.
    """
    try:
        import_quickly("torchvision")
    except Exception as error:  # anything that a partly loaded package raises: ImportError, OSError, RuntimeError, ...
        if isinstance(error, ModuleNotFoundError) and error.name in ("torch", "torchvision"):
            raise UserError(f"{error.name} is not installed: {REINSTALL}") from error
        raise UserError(
            f"torch {_version('torch')} and torchvision {_version('torchvision')} are not of one build"
            f" ({first_line(error)}): {REINSTALL}"
        ) from error
    import_quickly(module)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
