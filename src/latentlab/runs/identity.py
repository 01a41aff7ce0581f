"""When two configs are one experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

# what may differ between a run and its continuation, and what does not make another experiment
PASSING = ("resume", "quiet", "evaluate", "paths", "logger", "callbacks", "sweep")


def config_hash(config: DictConfig | Mapping[str, Any]) -> str:
    """A short name for the experiment: equal where only paths, loggers, pictures or resumption differ."""
    plain = plain_config(config)
    deciding = {
        name: {key: value for key, value in (node or {}).items() if key != "dirpath"}
        for name, node in (plain.get("callbacks") or {}).items()
        if not str((node or {}).get("_target_", "latentlab.")).startswith("latentlab.")  # ours decide nothing
    }
    told = json.dumps([lasting(plain), deciding], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def plain_config(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    from omegaconf import DictConfig, OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    return dict(plain)


def lasting(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    plain = plain_config(config)
    kept = {key: value for key, value in plain.items() if key not in PASSING}
    for section, key in (("data", "root"), ("trainer", "default_root_dir")):
        kept[section] = {name: value for name, value in kept[section].items() if name != key}
    return kept


def flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings -> {"a.b": value}; lists stay values."""
    if not isinstance(config, dict):
        return {prefix: config}
    return {
        key: value
        for name, member in config.items()
        for key, value in flat(member, f"{prefix}.{name}" if prefix else str(name)).items()
    }
