"""Where a key leads in a config, and what else may stand at that place."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from latentlab.config.schema import OPTIONAL_PARTS, PARTS, PLAIN, parameters
from latentlab.config.sources import NotThereError
from latentlab.errors import ConfigError, nearest, unknown


@final
@dataclass(frozen=True)
class Groups:
    """The config groups: the options of each, and which options of a group bring a group of their own."""

    options: Mapping[str, Sequence[str]]
    loader: ConfigLoaderImpl

    @classmethod
    def of(cls, loader: ConfigLoaderImpl) -> "Groups":
        """The groups that the loader finds, Hydra's own left out."""
        repository = loader.repository  # the loader's own lists copy it each time
        options: dict[str, Sequence[str]] = {}
        waiting = [group for group in repository.get_group_options("", ObjectType.GROUP) if group != "hydra"]
        while waiting:
            group = waiting.pop()
            options[group] = sorted(repository.get_group_options(group, ObjectType.CONFIG))
            waiting += [f"{group}/{inner}" for inner in repository.get_group_options(group, ObjectType.GROUP)]
        return cls(options, loader)

    def owners(self, group: str) -> list[str]:
        """The choices that bring the group, such as `model=sparse_ae` for `model/penalty`."""
        outer, _, inner = group.rpartition("/")
        found = []
        for option in self.options.get(outer, ()):
            loaded = self.loader.repository.load_config(f"{outer}/{option}")
            names = {getattr(default, "group", None) for default in loaded.defaults_list or ()} if loaded else set()
            found += [f"{outer}={option}"] * (inner in names)
        return found


@final
@dataclass(frozen=True)
class Place:
    """How far a dotted key leads: the part that is there, the next name, and the node to hold that name."""

    there: str
    name: str
    node: Any

    @classmethod
    def of(cls, key: str, config: Any) -> "Place":
        *path, last = key.split(".")
        node = config
        for count, name in enumerate(path):
            inner = _member(node, name)
            if inner is _NOTHING:
                return cls(".".join(path[:count]), name, node)
            node = inner
        return cls(".".join(path), last, node)

    @property
    def names(self) -> list[str]:
        """What may stand here: the keys, and the arguments of the node's `_target_`."""
        if not isinstance(self.node, DictConfig | Mapping):
            return []
        keys = {str(name) for name in self.node if not str(name).startswith("_")}
        target = _member(self.node, "_target_")
        with contextlib.suppress(NotThereError):
            keys |= set(parameters(target) or ()) if isinstance(target, str) else set()
        return sorted(keys)


_NOTHING = object()


def _member(node: Any, name: str) -> Any:
    if isinstance(node, DictConfig):
        found = node._get_node(name) if not node._is_none() and name in node else None
        return _NOTHING if found is None else found if OmegaConf.is_config(found) else found._value()
    return node[name] if isinstance(node, Mapping) and name in node else _NOTHING


def refuse_stray(override: Override, groups: Groups) -> None:
    """Judge an override by its key alone.

    Raises:
        ConfigError: a part is taken out, two are put in one place, or a key is set where a group is meant.
    """
    key, value = override.key_or_group, override.value()
    if override.is_hydra_override() or override.is_sweep_override():
        return
    if override.is_delete():
        if key in PARTS or key in OPTIONAL_PARTS or key in PLAIN:
            raise ConfigError(f"~{key}: a run needs it")
    elif key in PARTS and isinstance(value, list) and key in groups.options:
        raise ConfigError(f"{key}: expected one option, found a list")
    elif "/" in key and key not in groups.options:
        raise ConfigError(_no_group(key, groups))
    elif "." in key and isinstance(value, str) and key.replace(".", "/") in groups.options:
        group = key.replace(".", "/")
        raise ConfigError(
            unknown(f"{key}: a config group; choose it as {group}={value}", (), groups.options[group], "options")
        )


def refuse_unknown_key(override: Override, config: Mapping[str, Any]) -> None:
    """Judge a `+key=value` in the config that came of it.

    Raises:
        ConfigError: no constructor takes the key, and no part is put there.
    """
    key = override.key_or_group
    adds = override.is_add() or override.is_force_add()
    if not adds or override.is_hydra_override() or "/" in key or key in PLAIN:
        return
    names = key.split(".")
    nodes = [Place.of(".".join(names[:count]), config).node for count in range(1, len(names) + 1)]
    inner = [node[name] for node, name in zip(nodes, names, strict=True) if isinstance(node, Mapping) and name in node]
    if any(isinstance(node, Mapping) and "_target_" in node for node in [*nodes, *inner]):
        return
    if names[0] in OPTIONAL_PARTS:
        return  # the schema judges their members
    siblings = [name for name in Place.of(key, config).names if name != names[-1]]
    raise ConfigError(unknown(f"{key}: unknown", nearest(names[-1], siblings), siblings))


def _no_group(key: str, groups: Groups) -> str:
    return unknown(f"{key}: no such config group", nearest(key, groups.options), groups.options, "groups")


def tell_unknown_key(key: str, root: object, groups: Groups) -> str:
    """That there is no such key, and what may be meant."""
    if "/" in key:
        return _no_group(key, groups)
    place = Place.of(key, root)
    where = f"{place.there}.{place.name}" if place.there else place.name
    owners = groups.owners(where.replace(".", "/"))
    if owners:
        return f"{where}: not part of what is chosen; it belongs to {' or '.join(owners)}"
    names = [name for name in place.names if place.there or name != "hydra"]
    if not names:
        return f"{where}: unknown; {place.there} takes no keys"
    near = nearest(place.name, names) or _elsewhere(place.name, root, groups)
    return unknown(f"{where}: unknown", near, names)


def _elsewhere(name: str, root: object, groups: Groups) -> list[str]:
    """Keys and groups of that very last name at other places."""
    dotted = [key for key in _keys(root) if key.rpartition(".")[2] == name and not key.startswith("hydra.")]
    chosen = [group for group in groups.options if group.rpartition("/")[2] == name]
    return sorted({*dotted, *chosen}, key=lambda key: (len(key), key))[:3]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
        for name in map(str, node):
            yield f"{prefix}{name}"
            yield from _keys(_member(node, name), f"{prefix}{name}.")
