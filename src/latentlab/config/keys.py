"""Keys: the config groups, the nodes that keys refer to, and messages about unknown ones."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigSource

from latentlab.config.schema import OPTIONAL_COMPONENTS, PLAIN, REQUIRED_COMPONENTS, children, parameters, select
from latentlab.config.sources import NotThereError
from latentlab.errors import ConfigError, nearest, unknown
from latentlab.runs.documents import yaml_of


@final
@dataclass(frozen=True)
class Groups:
    """The config groups with the options of each, and the folders that they come from."""

    options: Mapping[str, Sequence[str]]
    sources: Sequence[ConfigSource]

    @classmethod
    def of(cls, loader: ConfigLoader) -> "Groups":
        """The groups that the loader finds, without Hydra's own."""
        sources = loader.get_sources()

        def listed(group: str, kind: ObjectType) -> list[str]:
            within = [source for source in sources if not group or source.is_group(group)]
            return sorted({name for source in within for name in source.list(group, kind)})

        options: dict[str, Sequence[str]] = {}
        waiting = [group for group in listed("", ObjectType.GROUP) if group != "hydra"]
        while waiting:
            group = waiting.pop()
            options[group] = listed(group, ObjectType.CONFIG)
            waiting += [f"{group}/{inner}" for inner in listed(group, ObjectType.GROUP)]
        return cls(options, sources)

    def owners(self, group: str) -> list[str]:
        """The choices that bring the group, such as `model=sparse_ae` for `model/penalty`."""
        outer, _, inner = group.rpartition("/")
        return [
            f"{outer}={option}" for option in self.options.get(outer, ()) if inner in self.defaults(f"{outer}/{option}")
        ]

    def defaults(self, config: str) -> dict[str, Any]:
        """The choices in a config's defaults list, by their groups."""
        entries = [entry for entry in self.content(config).get("defaults") or () if isinstance(entry, Mapping)]
        return {str(group).removeprefix("override "): option for entry in entries for group, option in entry.items()}

    def content(self, config: str) -> Mapping[str, Any]:
        """The content of a config's file, such as `model/vae`; empty without such a file."""
        file = self.file(config)
        content = None if file is None else yaml_of(file)
        return content if isinstance(content, Mapping) else {}

    def file(self, config: str) -> Path | None:
        """A config's file, such as `model/vae.yaml`."""
        files = [Path(source.path) / f"{config}.yaml" for source in self.sources if source.scheme() == "file"]
        return next((file for file in files if file.exists()), None)


@final
@dataclass(frozen=True)
class KeyPath:
    """The existing part of a dotted key, the name that follows it, and the node in which that name was looked up."""

    existing: str
    name: str
    node: Any

    @classmethod
    def of(cls, key: str, config: object) -> "KeyPath":
        """In a config of plain containers."""
        *path, last = key.split(".")
        node = config
        for count, name in enumerate(path):
            inner = dict(children(node))
            if name not in inner:
                return cls(".".join(path[:count]), name, node)
            node = inner[name]
        return cls(".".join(path), last, node)

    @property
    def names(self) -> list[str]:
        """The names that may follow the path: the keys, and the arguments of the node's `_target_`."""
        keys = {name for name, _ in children(self.node) if not name.startswith("_")}
        return sorted(keys | self.arguments) if isinstance(self.node, Mapping) else []

    @property
    def arguments(self) -> set[str]:
        """The arguments of the node's `_target_`, set or not."""
        target = self.node.get("_target_") if isinstance(self.node, Mapping) else None
        with contextlib.suppress(NotThereError):
            return set(parameters(target) or ()) if isinstance(target, str) else set()
        return set()


def is_argument(key: str, config: object) -> bool:
    """Whether the key is an argument, set or not, of a node's `_target_`."""
    path = KeyPath.of(key, config)
    return path.existing == key.rpartition(".")[0] and path.name in path.arguments


def refuse_stray(override: Override, groups: Groups) -> None:
    """Check an override by its key alone.

    Raises:
        ConfigError: a required component is deleted, two are given for one, or a key is set where a group is meant.
    """
    key, value = override.key_or_group, override.value()
    if override.is_hydra_override() or override.is_sweep_override():
        return
    if override.is_delete():
        if key in REQUIRED_COMPONENTS or key in OPTIONAL_COMPONENTS or key in PLAIN:
            raise ConfigError(f"~{key}: a run needs it")
    elif key in REQUIRED_COMPONENTS and isinstance(value, list) and key in groups.options:
        raise ConfigError(f"{key}: expected one option, found a list")
    elif "/" in key and key not in groups.options:
        raise ConfigError(no_group(key, groups))
    elif "." in key and isinstance(value, str) and key.replace(".", "/") in groups.options:
        group = key.replace(".", "/")
        raise ConfigError(
            unknown(f"{key}: a config group; choose it as {group}={value}", (), groups.options[group], "options")
        )


def refuse_unknown_key(override: Override, config: Mapping[str, Any]) -> None:
    """Check a `+key=value` in the config that resulted from it.

    Raises:
        ConfigError: no constructor takes the key, and it adds no component.
    """
    key = override.key_or_group
    adds = override.is_add() or override.is_force_add()
    if not adds or override.is_hydra_override() or "/" in key or key in PLAIN:
        return
    names = key.split(".")
    nodes = [select(config, ".".join(names[:count]))[1] for count in range(1, len(names) + 1)]
    if names[0] in OPTIONAL_COMPONENTS or any(isinstance(node, Mapping) and "_target_" in node for node in nodes):
        return  # checked by the schema
    siblings = [name for name in KeyPath.of(key, config).names if name != names[-1]]
    raise ConfigError(unknown(f"{key}: unknown", nearest(names[-1], siblings), siblings))


def no_group(key: str, groups: Groups) -> str:
    """The message about an unknown config group."""
    return unknown(f"{key}: no such config group", nearest(key, groups.options), groups.options, "groups")


def unknown_key_message(key: str, config: object, groups: Groups) -> str:
    """The message about a key that the config does not have."""
    path = KeyPath.of(key, config)
    where = f"{path.existing}.{path.name}" if path.existing else path.name
    owners = groups.owners(where.replace(".", "/"))
    if owners:
        return f"{where}: not part of what is chosen; it belongs to {' or '.join(owners)}"
    names = [name for name in path.names if path.existing or name != "hydra"]
    if not names:
        return f"{where}: unknown; {path.existing} takes no keys"
    near = nearest(path.name, names) or _elsewhere(path.name, config, groups)
    hint = f"; +{where}=... adds it" if path.existing in OPTIONAL_COMPONENTS and not near else ""
    return unknown(f"{where}: unknown{hint}", near, names)


def _elsewhere(name: str, config: object, groups: Groups) -> list[str]:
    """Up to three keys and groups elsewhere with the same last name, the shortest first."""
    dotted = [key for key in _keys(config) if key.rpartition(".")[2] == name and not key.startswith("hydra.")]
    chosen = [group for group in groups.options if group.rpartition("/")[2] == name]
    return sorted({*dotted, *chosen}, key=lambda key: (len(key), key))[:3]


def _keys(node: object, prefix: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in children(node):
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")
