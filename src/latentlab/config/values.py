"""Configs that differ in values alone, as those of a sweep's jobs: composed once, and the values set on a copy."""

import os
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from latentlab.config.keys import Groups, is_argument

FOLDERS = ("hydra.run.dir", "hydra.sweep.dir")  # values of Hydra's own; its others may change what is composed
WHOLE = ("hydra", "hydra.run", "hydra.sweep")  # nodes that hold these; order would matter
MOST_KEPT = 100  # configs of this process, about 0.3 MiB each

_kept: dict[tuple[object, ...], DictConfig] = {}


def sets_a_value(override: Override, groups: Groups) -> bool:
    """Whether it is `KEY=VALUE` of the config itself: no choice of a group's option, and no key of Hydra's own."""
    key = override.key_or_group
    chooses = (
        "/" in key or override.package is not None or (key in groups.options and not isinstance(override.value(), dict))
    )
    return override.type == OverrideType.CHANGE and not override.is_hydra_override() and not chooses


def state_of(groups: Groups) -> tuple[object, ...]:
    """Equal where the same config files and stored configs are read, but for those of installed packages."""
    sources = groups.sources
    places = tuple((source.provider, source.path) for source in sources)
    folders = [Path(source.path) for source in sources if source.scheme() == "file"]
    options = [f"{group}/{option}.yaml" for group, options in groups.options.items() for option in options]
    files = [folder / option for folder in folders for option in options]
    for folder in folders:
        files += [*sorted(folder.glob("*.yaml")), *sorted((folder / "hydra").rglob("*.yaml"))]
    return places, tuple(map(_stamp, files)), _identities(ConfigStore.instance().repo)


def _stamp(file: Path) -> tuple[object, ...]:
    try:
        stat = file.stat()
    except OSError:  # it is in another source, or a link to nothing
        return ()
    return str(file), stat.st_mtime_ns, stat.st_size


def _identities(stored: dict[str, Any]) -> tuple[object, ...]:
    return tuple((name, _identities(node) if isinstance(node, dict) else id(node)) for name, node in stored.items())


def with_values(
    compose: Callable[[list[str]], DictConfig],
    overrides: Sequence[Override],
    groups: Groups,
    state: tuple[object, ...],
    any_key: bool = False,
) -> DictConfig | None:
    """What `compose` makes of all overrides, from what it makes, or made earlier, of the choices among them.

    A key that is not in the config but an argument of the `_target_` beside it is added.
    state: equal where `compose` makes the same of the same choices.
    any_key: any other key that is not in the config is added too.

    Returns None where an override adds or deletes a key, sweeps, or sets a value that does not fit.
    """
    if any(o.type != OverrideType.CHANGE or o.is_sweep_override() or o.key_or_group in WHOLE for o in overrides):
        return None
    values = [o for o in overrides if o.key_or_group in FOLDERS or sets_a_value(o, groups)]
    choices = [str(o.input_line) for o in overrides if o not in values]
    key = (state, *choices)
    if key not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = compose(choices)
    config = deepcopy(_kept[key])
    for override in values:
        if not _set(config, override.key_or_group, override.value(), any_key):
            return None
    _record(config, overrides)
    return config


def _set(config: DictConfig, key: str, value: Any, any_key: bool) -> bool:
    """Set a value; False where it does not fit. Raises Hydra's error for a key that is not there nor to be added."""
    try:
        try:
            OmegaConf.update(config, key, value)
        except (ConfigAttributeError, ConfigKeyError) as error:
            if not (any_key or is_argument(key, OmegaConf.to_container(config, resolve=False))):
                raise ConfigCompositionException(f"Could not override '{key}'.") from error
            OmegaConf.update(config, key, value, force_add=True)
    except OmegaConfBaseException:
        return False
    return True


def _record(config: DictConfig, overrides: Sequence[Override]) -> None:
    """What Hydra records of the overrides, and of where and how they were given."""
    hydra, own = config.hydra, [o for o in overrides if not o.is_hydra_override()]
    hydra.overrides.hydra = [o.input_line for o in overrides if o.is_hydra_override()]
    hydra.overrides.task = [o.input_line for o in own]
    named = hydra.job.config.override_dirname
    lines = sorted(str(o.input_line) for o in own if o.key_or_group not in named.exclude_keys)
    hydra.job.override_dirname = re.sub("=", named.kv_sep, named.item_sep.join(lines))
    hydra.runtime.cwd = os.getcwd()
    for variable in hydra.job.env_copy:
        hydra.job.env_set[variable] = os.environ[variable]
