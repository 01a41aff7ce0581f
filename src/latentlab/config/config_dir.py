"""The folder of the shipped configs."""

from pathlib import Path

from latentlab.errors import ConfigError

PACKAGE = Path(__file__).resolve().parents[1]


def config_dir(package: Path = PACKAGE) -> Path:
    """The folder of the shipped configs: inside the package (wheel) or at the checkout's root (editable).

    Raises:
        ConfigError: there is neither.
    """
    folders = (package / "conf", package.parent.parent / "conf")
    for folder in folders:
        if (folder / "train.yaml").is_file():
            return folder
    raise ConfigError(f"conf: no shipped configs in {folders[0]} nor {folders[1]}; install latentlab again")
