"""What the status in a run's folder is stamped with: the format of the folder, and the version of latentlab."""

from importlib.metadata import version
from typing import Any

FORMAT = 1  # to be raised with a change after which the folders of earlier versions can no longer be continued


def stamp() -> dict[str, Any]:
    return {"format": FORMAT, "latentlab": version("latentlab")}
