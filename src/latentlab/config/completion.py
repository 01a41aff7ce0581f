"""The keys that a TAB completes beside those of the config: arguments that a node may be given, and does not set."""

from collections.abc import Mapping
from typing import Any

from hydra.types import RunMode
from omegaconf import OmegaConf

from latentlab.config.composition import CheckedLoader
from latentlab.config.keys import KeyPath
from latentlab.config.schema import children
from latentlab.errors import UserError


def further_keys(line: str, config_name: str, loader: CheckedLoader) -> list[str]:
    """Such as "optimizer.weight_decay=" for the line "latentlab model=ae optimizer.we"; Hydra completes the others.

    Nothing where the words before the last one are not sound.
    """
    *given, word = line.split(" ")[1:] or [""]
    parent, _, name = word.lstrip("+").rpartition(".")
    if not parent or "=" in word:
        return []
    try:
        config = loader.load_configuration(config_name, [text for text in given if "=" in text], RunMode.RUN)
    except UserError:
        return []
    plain: Any = OmegaConf.to_container(config, resolve=False)
    path = KeyPath.of(f"{parent}.{name}", plain)
    present = {key for key, _ in children(path.node)} if isinstance(path.node, Mapping) else set()
    if path.existing != parent:
        return []
    return [f"{parent}.{key}=" for key in path.names if key.startswith(name) and key not in present]
