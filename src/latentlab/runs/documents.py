"""JSON and YAML from folders that anybody may have written: bounded, plain values only, damage named in one line."""

import json
import math
from pathlib import Path
from typing import Any, final

import yaml  # type: ignore[import-untyped]

from latentlab.errors import UserError

MAX_BYTES = 64 * 2**20
MAX_VALUES = 20_000  # of one file; aliases could unfold a small file into any number

# equal to SafeLoader and ten times as fast, where PyYAML was built with it
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@final
class Damaged(UserError):  # noqa: N818
    """A file that is not what it should be; the message names it and the reason."""


def text_of(file: Path) -> str:
    """The file's text.

    Raises:
        Damaged: it is not a plain file, too large, or not UTF-8.
    """
    try:
        if not file.is_file():
            raise Damaged(f"{file.name} is not a file")
        if file.stat().st_size > MAX_BYTES:
            raise Damaged(f"{file.name} is too large to be read ({file.stat().st_size / 2**20:.0f} MiB)")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Damaged(f"{file.name} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise Damaged(f"{file.name} is damaged (not UTF-8 text)") from error


def json_of(file: Path) -> dict[str, Any]:
    """The object that the file holds.

    Raises:
        Damaged: it cannot be read, or is not a JSON object.
    """
    return json_object(text_of(file), file.name)


def json_object(text: str, name: str) -> dict[str, Any]:
    """The object that the text holds; `name` is what an error calls it.

    Raises:
        Damaged: it is not a JSON object.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{name} is damaged ({_reason(error)})") from error
    if not isinstance(content, dict):
        raise Damaged(f"{name} is damaged (expected an object, found {type(content).__name__})")
    return content


def yaml_of(file: Path) -> Any:
    """The content of the file, of plain types alone.

    Raises:
        Damaged: it cannot be read, is not YAML, asks for other types, or unfolds into too many values.
    """
    text = text_of(file)
    try:
        content = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Damaged(f"{file.name} is damaged ({_reason(error)})") from error
    if not _is_bounded(content):
        raise Damaged(f"{file.name} is damaged (more than {MAX_VALUES} values)")
    return content


def number(value: object) -> float | None:
    """The value where it is a finite number, and small enough to be squared; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and abs(found) < 1e150 else None


def lies_within(name: str, folder: Path) -> bool:
    """Whether the name is a path below the folder, also after links are followed."""
    path = Path(name)
    if not name or "\0" in name or path.is_absolute() or ".." in path.parts or path == Path():
        return False
    try:
        return (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # too long, links in a circle, or not a valid name
        return False


def _is_bounded(content: Any) -> bool:
    waiting, seen = [content], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen + len(waiting) > MAX_VALUES:
            return False
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list | tuple | set):
            waiting += node
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error)
    line = f", line {mark.line + 1}" if mark is not None else ""
    return f"{' '.join(str(text).split())[:120]}{line}"
