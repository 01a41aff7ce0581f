"""An extension of griffe, which reads docstrings: lines "name: meaning" become lists of arguments and attributes."""

import re
from collections.abc import Iterable
from typing import Any

from griffe import Class, Docstring, Extension, Function

from latentlab.config.docstrings import ENTRY


class ArgumentLines(Extension):
    """Paragraphs of "name: meaning" lines become blocks "Args:" and "Attributes:", as far as they name such."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        _rewrite(func.docstring, [parameter.name for parameter in func.parameters], ())

    def on_class(self, *, cls: Class, **_: Any) -> None:
        constructor = cls.members.get("__init__")
        parameters = constructor.parameters if isinstance(constructor, Function) else cls.parameters
        _rewrite(cls.docstring, [parameter.name for parameter in parameters], cls.members)


def _rewrite(docstring: Docstring | None, arguments: Iterable[str], attributes: Iterable[str]) -> None:
    if docstring is None:
        return
    blocks = {"Args:": set(arguments), "Attributes:": set(attributes) - set(arguments)}
    lines, block, count = list[str](), "", 0  # of the entries that are open
    for line in docstring.value.splitlines():
        entry = ENTRY.match(line)
        names = [name.strip() for name in entry["names"].split(",")] if entry is not None else []
        head = next((head for head, known in blocks.items() if names and set(names) <= known), "")
        if entry is not None and head:
            lines += [] if head == block else ["", head]
            lines += [f"    {name}: {(entry['meaning'] or '').strip()}" for name in names]
            block, count = head, len(names)
        elif block and line.strip():  # continues the entry before
            lines[-count:] = [f"{begun} {line.strip()}" for begun in lines[-count:]]
        else:
            lines, block = [*lines, line], ""
    docstring.value = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
