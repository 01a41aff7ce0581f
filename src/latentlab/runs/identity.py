"""When two configs are the same experiment."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

# what cannot change a result, with all that is below it; "*" is any one name. Everything else counts.
NON_IDENTIFYING_KEYS = (
    *("paths", "data.root", "data.file", "data.cache", "callbacks.*.dirpath"),
    *("trainer.default_root_dir", "trainer.images_on_device"),
    *("name", "logger", "quiet", "resume", "evaluate", "sweep"),
    *("callbacks.reconstructions", "callbacks.samples", "callbacks.latent_plane", "callbacks.unit_activity"),
    *("callbacks.projector", "callbacks.lr_monitor", "callbacks.interruption", "callbacks.pruning"),
)
_NON_IDENTIFYING = re.compile(
    rf"({'|'.join(re.escape(key).replace(re.escape('*'), '[^.]+') for key in NON_IDENTIFYING_KEYS)})(\..*)?", re.DOTALL
)
_OPTIONAL = re.compile(r"callbacks(\.[^.]+)?|initial_weights")


def config_hash(config: DictConfig | Mapping[str, Any], without: Collection[str] = ()) -> str:
    """A short name of the experiment, by which jobs, folders and groups of runs differ.

    config: nested or flat. without: further keys that are not to count, such as the seed.
    """
    items = sorted((key, canonical(value)) for key, value in identifying(config).items() if key not in without)
    return hashlib.sha256(json.dumps(items).encode()).hexdigest()[:16]


def identifying(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": value} of all that counts; a callback and initial weights that are null count as absent."""
    return {
        key: value
        for key, value in flat(plain_config(config)).items()
        if is_identifying(key) and not (value is None and _OPTIONAL.fullmatch(key))
    }


def differences(a: DictConfig | Mapping[str, Any], b: DictConfig | Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{key: its values in two configs} of what counts and differs, keys of few parts first: seed before data.seed."""
    first, second = identifying(a), identifying(b)
    found = {key: (first.get(key), second.get(key)) for key in first.keys() | second.keys()}
    keys = sorted(found, key=lambda key: (key.count("."), key))
    return {key: found[key] for key in keys if canonical(found[key][0]) != canonical(found[key][1])}


@cache
def is_identifying(key: str) -> bool:
    """Whether a key such as "model.beta" can change a result."""
    return _NON_IDENTIFYING.fullmatch(key) is None


def override_key(override: str) -> str:
    """ "model.penalty" of "+model/penalty=topk"."""
    return override.partition("=")[0].lstrip("+~").partition("@")[0].replace("/", ".")


def canonical(value: Any) -> str:
    """Equal for equal settings: 1 and 1.0 are one value."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        value = float(value)
    return json.dumps(value, sort_keys=True, default=str)


def plain_config(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    """The config with plain dicts and lists, every interpolation resolved."""
    if isinstance(config, dict):
        return config
    from omegaconf import OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True) if OmegaConf.is_config(config) else config
    return dict(plain)


def flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings -> {"a.b": value}; lists stay values."""
    if not isinstance(config, dict):
        return {prefix: config}
    return {
        key: value
        for name, member in config.items()
        for key, value in flat(member, f"{prefix}.{name}" if prefix else str(name)).items()
    }
