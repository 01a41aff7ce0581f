"""The keys of an option of a config group, each with its type, its default and its meaning; nothing is imported."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from latentlab.config.annotations import describe
from latentlab.config.docstrings import meanings, summary
from latentlab.config.keys import Groups
from latentlab.config.option_files import comments_of, file_of, header, merged, set_by, shown
from latentlab.config.schema import (
    ALSO_READ,
    INSTANTIATE,
    PLAIN,
    REQUIRED_COMPONENTS,
    plain_annotation,
    select,
    settable,
)
from latentlab.config.signatures import Annotation, signature
from latentlab.config.sources import NotThereError
from latentlab.runs.documents import text_of

GLOBAL = ("experiment", "sweep")  # groups whose options set keys of other groups
# Classes whose arguments another class documents and checks.
DOCUMENTED_BY = {"hydra_plugins.latentlab_sweepers.SearchSweeper": "latentlab.sweeps.settings.SearchSettings"}


@final
@dataclass(frozen=True)
class Key:
    """A key that can be set.

    name: `model.beta`, or `model/prior` of a group. is_set: whether the option's file sets it.
    """

    name: str
    type: str
    default: str
    meaning: str
    is_set: bool = True


@final
@dataclass(frozen=True)
class Option:
    """An option of a group, such as `vae` of `model`.

    summary: the comment at the beginning of its file; without one, what its class is.
    """

    group: str
    name: str
    summary: str
    keys: tuple[Key, ...]


def option_help(group: str, name: str, groups: Groups) -> Option:
    """Everything that is known about an option that exists."""
    content, comments = merged(group, name, groups)
    target = content.get("_target_")
    about = summary(target) if isinstance(target, str) else ""
    head = header(text_of(file_of(f"{group}/{name}", groups)))
    if group in GLOBAL:
        return Option(group, name, "\n".join([head, f"Sets {', '.join(set_by(group, name, groups))}"]), ())
    tree = _Tree(group.replace("/", "."), content, comments, groups)
    chosen = [tree.of_group(inner, option) for inner, option in _inner_groups(group, name, groups)]
    return Option(group, name, head or about, (*tree.keys("", content), *chosen))


def primary_keys(config: str, groups: Groups) -> Iterator[Key]:
    """The keys that belong to no group, such as `seed` of `train`."""
    file = file_of(config, groups)
    content, comments = groups.content(config), comments_of(text_of(file))
    for key, annotation in PLAIN.items():
        is_there, value = select(content, key)
        if is_there and not isinstance(value, Mapping):
            yield Key(key, _typed(plain_annotation(annotation)), shown(value), comments.get(key, ""))


@final
class _Tree:
    """The nodes of an option. path: the key that the group is at."""

    def __init__(self, path: str, content: Mapping[str, Any], comments: Mapping[str, str], groups: Groups) -> None:
        self.path, self.content, self.comments, self.groups = path, content, comments, groups

    def keys(self, at: str, node: Mapping[str, Any]) -> Iterator[Key]:
        """Of a node and the nodes in it, those that the file sets first. at: its key within the option."""
        target = node.get("_target_")
        known = _arguments(target) if isinstance(target, str) else {}
        about = meanings(DOCUMENTED_BY.get(str(target), str(target))) | _also(target) if target else {}
        inner = _names_of_inner_groups(self.path, self.groups)
        for name, value in node.items():
            key = f"{at}{name}"
            if name in INSTANTIATE or name == "defaults" or self._refers_inwards(value):
                continue
            annotation, meaning = known.get(name), about.get(name, "")
            if annotation is None and not target:
                annotation, meaning = self._referred(key)
            if not target and (isinstance(value, Mapping) or (value is None and annotation is None)):
                yield self._of_node(key, value)
                yield from self.keys(f"{key}.", value or {})
                continue
            yield Key(f"{self.path}.{key}", _typed(annotation), shown(value), meaning or self.comments.get(key, ""))
        for name, annotation in known.items():
            is_passed = annotation.required and node.get("_partial_")
            if name not in node and f"{at}{name}" not in inner and not is_passed:
                default = "required" if annotation.required else _written(annotation.default)
                yield Key(
                    f"{self.path}.{at}{name}",
                    _typed(annotation),
                    default,
                    about.get(name) or _silent(str(target)),
                    False,
                )

    def _of_node(self, key: str, node: Mapping[str, Any] | None) -> Key:
        """A component beside others, such as one of the callbacks; null where the option leaves it out."""
        at = f"{self.path}.{key}"
        default = (self.groups.content(f"{self.path}/default").get(key) or {}) if node is None else node
        target = str(default.get("_target_", ""))
        typed = "component" if at in REQUIRED_COMPONENTS else "component or null"
        return Key(at, typed, shown(node), summary(target) or self.comments.get(key, ""))

    def of_group(self, group: str, option: str) -> Key:
        """The key that chooses an option of an inner group, such as `model/prior`."""
        target = self.content.get("_target_")
        about = meanings(str(target)) if target else {}
        name = group.rpartition("/")[2]
        options = ", ".join(self.groups.options.get(group, ()))
        return Key(group, f"one of {options}", option, about.get(name, ""))

    def _refers_inwards(self, value: object) -> bool:
        return isinstance(value, str) and value.startswith(f"${{{self.path}.")

    def _referred(self, key: str) -> tuple[Annotation | None, str]:
        """Type and meaning of a key that arguments of the nodes beside it refer to."""
        for node in self.content.values():
            if not isinstance(node, Mapping) or "_target_" not in node:
                continue
            for name, value in node.items():
                if value == f"${{{self.path}.{key}}}":
                    return _arguments(node["_target_"]).get(name), meanings(node["_target_"]).get(name, "")
        return None, ""


def _typed(annotation: Annotation | None) -> str:
    """A type as a reader of configs writes it: null for None, the kind of a component by its name."""
    text = "" if annotation is None else describe(annotation)
    text = re.sub(r"(?<=a list of )Callable\[.*\]", "functions", text)
    text = re.sub(r"Callable\[.*\]", "function", text.replace("a node with _target_ that makes a ", ""))
    return re.sub(r"\bNone\b", "null", text) or "any"


def _silent(target: str) -> str:
    """The meaning of an argument that the docstrings of another package leave out."""
    package = target.partition(".")[0]
    return "" if package == "latentlab" else f"not documented by {package}"


def _written(default: ast.expr | None) -> str:
    """A default in a source as it is written on a command line."""
    if default is None:
        return "required"
    try:
        return shown(ast.literal_eval(default))
    except ValueError:
        return ast.unparse(default)


def _arguments(target: str) -> dict[str, Annotation]:
    try:
        found = signature(DOCUMENTED_BY.get(target, target))
    except NotThereError:
        return {}
    return {} if found is None else settable(target, found)


def _also(target: object) -> dict[str, str]:
    return meanings(ALSO_READ[target]) if isinstance(target, str) and target in ALSO_READ else {}


def _inner_groups(group: str, name: str, groups: Groups) -> list[tuple[str, str]]:
    entries = groups.defaults(f"{group}/{name}")
    return [
        (f"{group}/{inner}", str(option)) for inner, option in entries.items() if f"{group}/{inner}" in groups.options
    ]


def _names_of_inner_groups(path: str, groups: Groups) -> set[str]:
    prefix = f"{path.replace('.', '/')}/"
    return {group.removeprefix(prefix) for group in groups.options if group.startswith(prefix)}
