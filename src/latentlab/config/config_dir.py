"""The folder of the shipped configs."""

from pathlib import Path

from latentlab.errors import ConfigError

PACKAGE = Path(__file__).resolve().parents[1]


def refuse_shadowed(folder: Path) -> None:
    """Raise ConfigError where a config of the user's own would not be used, as a shipped one has its name.

    folder: the user's. A copy of a shipped config is harmless.
    """
    shipped = config_dir()
    for same in sorted(shipped.rglob("*.yaml")):
        file = folder / same.relative_to(shipped)
        if file.is_file() and same.read_bytes() != file.read_bytes():
            raise ConfigError(
                f"--config-dir: {file} has the name of a shipped config, which would be used in its place; "
                "give it another name"
            )


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
