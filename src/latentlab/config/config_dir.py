"""Where the shipped configs lie."""

from pathlib import Path

from latentlab.errors import ConfigError

PACKAGE = Path(__file__).resolve().parents[1]


def config_dir(package: Path = PACKAGE) -> Path:
    """The folder of the shipped configs: inside the package (wheel) or at the checkout's root (editable).

    Raises:
        ConfigError: there is neither.
    """
    places = (package / "conf", package.parent.parent / "conf")
    for place in places:
        if (place / "train.yaml").is_file():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise ConfigError(f"conf: no shipped configs in {looked}; install latentlab again")
