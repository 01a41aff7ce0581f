"""A notebook as Markdown: its cells in order, with the outputs that it was saved with."""

import json
import re
from collections.abc import Iterator
from typing import Any

# the first of these that an output has is shown
KINDS = ("image/png", "image/svg+xml", "text/html", "text/markdown", "text/plain")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal


def as_markdown(notebook: str) -> str:
    """The text of a page; cells and outputs of other kinds are left out."""
    return "\n\n".join(part for cell in json.loads(notebook)["cells"] for part in _cell(cell)) + "\n"


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    source = _joined(cell["source"]).strip()
    if cell["cell_type"] == "markdown":
        yield source
    elif cell["cell_type"] == "code" and source:
        yield _fenced(source, "python")
        yield from filter(None, map(_output, cell.get("outputs", ())))


def _output(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return _fenced(COLOURS.sub("", _joined(output["text"])), "text")
    data = output.get("data", {})
    kind = next((kind for kind in KINDS if kind in data), None)
    if kind is None:
        return ""
    text = _joined(data[kind]).strip()
    if kind == "image/png":
        encoded = "".join(text.split())
        return f'<img alt="output" src="data:image/png;base64,{encoded}">'
    if kind == "text/plain":
        return _fenced(COLOURS.sub("", text), "text")
    if kind == "text/markdown":
        return text
    whole = "\n".join(line for line in text.splitlines() if line.strip())  # an empty line would end the HTML
    return f"<div>\n{whole}\n</div>"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
