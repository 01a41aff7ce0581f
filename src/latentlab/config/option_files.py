"""What the file of an option says: its values and comments, its header, and what a recipe sets."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from latentlab.config.keys import Groups
from latentlab.config.schema import MISSING
from latentlab.runs.documents import text_of


def merged(group: str, name: str, groups: Groups) -> tuple[dict[str, Any], dict[str, str]]:
    """The content and the comments of an option's file, after those of the options of its group that it builds on."""
    file = file_of(f"{group}/{name}", groups)
    content, comments = dict(groups.content(f"{group}/{name}")), comments_of(text_of(file))
    for base in content.pop("defaults", None) or ():
        if isinstance(base, str) and base != "_self_":
            below, behind = merged(group, base, groups)
            content, comments = {**below, **content}, {**behind, **comments}
    return content, comments


def comments_of(text: str) -> dict[str, str]:
    """{dotted key: the comment behind its value} of a YAML file."""
    found: dict[str, str] = {}
    lines = text.splitlines()

    def walk(node: Any, prefix: str) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            name = f"{prefix}{key.value}"
            rest = lines[key.end_mark.line][key.end_mark.column :]
            if comment := re.search(r"(?:^|\s)# (.+)$", rest):
                found[name] = comment[1].strip()
            walk(value, f"{name}.")

    walk(yaml.compose(text, yaml.SafeLoader), "")
    return found


def shown(value: object) -> str:
    """A value of a config as it is written on a command line; of a node with `_target_` the class's name."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case "":
            return '""'
        case str() if value == MISSING:
            return "required"
        case Mapping() if "_target_" in value:
            return str(value["_target_"]).rpartition(".")[2]
        case Mapping():
            return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(map(shown, value))}]"
        case _:
            return str(value)


def header(text: str) -> str:
    """The comment at the beginning of a file; a sentence that continues on the next line is joined."""
    found: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words = line.removeprefix("#").strip()
        if found and not found[-1].endswith(".") and not found[-1].startswith("latentlab "):
            found[-1] += f" {words}"
        elif not words.startswith("@package"):
            found.append(words)
    return "\n".join(found)


def set_by(group: str, name: str, groups: Groups) -> list[str]:
    """What a recipe chooses and sets, as it would be written on a command line."""
    chosen = [f"{key.lstrip('/')}={shown(option)}" for key, option in groups.defaults(f"{group}/{name}").items()]

    def leaves(node: Mapping[str, Any], prefix: str) -> Iterator[str]:
        for key, value in node.items():
            if isinstance(value, Mapping) and value and "_target_" not in value:
                yield from leaves(value, f"{prefix}{key}.")
            elif f"{prefix}{key}" != "defaults":
                yield f"{prefix}{key}={shown(value)}"

    return [*chosen, *leaves(groups.content(f"{group}/{name}"), "")]


def file_of(config: str, groups: Groups) -> Path:
    """The file of a config that exists, such as `model/vae`."""
    file = groups.file(config)
    assert file is not None
    return file
