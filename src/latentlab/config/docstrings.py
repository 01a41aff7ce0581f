"""What the docstring of a class or function says about it and its arguments; read from its source, never imported."""

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from functools import cache

from latentlab.config.signatures import dotted_name
from latentlab.config.sources import Definition, Module, NotThereError, find

# "name: ", "one, other: " or, in an Args block, "name (its type): "
ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:, ?\*{0,2}\w+)*)(?P<kind> \([^:]*\))?:(?P<meaning>\s+\S.*)?$")
SEE = re.compile(r"see `([\w.]+)`")
ARGUMENTS = re.compile(r"(Args|Arguments|Parameters):\s*$")
OTHER = re.compile(r"Raises\b|(Returns|Yields|Example|Examples|Note|Notes|Attributes):{1,2}\s*$")
MOST_SEES = 5  # a longer chain is a circle


def summary(dotted: str) -> str:
    """The first paragraph of the docstring on one line; empty where there is none, or none in the sources."""
    text = next(iter(_documentation(_found(dotted))), "")
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or OTHER.match(line) or ARGUMENTS.match(line):
            break
        lines.append(line.strip())
    return plain(" ".join(lines))


@cache
def meanings(dotted: str, depth: int = 0) -> dict[str, str]:
    """{argument: what it means}, out of "Args:" and of lines "name: meaning", also of the base classes.

    "see `Other`" is replaced by what that class says about the argument. Of docstrings of other packages the first
    sentence is taken.
    """
    definition = _found(dotted)
    if definition is None or depth > MOST_SEES:
        return {}
    is_own = definition.module.name.startswith("latentlab")
    found: dict[str, str] = {}
    for text in _documentation(definition):
        for name, meaning in _entries(text):
            seen = SEE.fullmatch(meaning.rstrip("."))
            other = meanings(definition.module.dotted(seen[1]), depth + 1).get(name) if seen else None
            found.setdefault(name, other or plain(meaning if is_own else _first_sentence(meaning)))
    if isinstance(definition.node, ast.ClassDef):
        for base in definition.node.bases:
            inherited = dotted_name(base, definition.module)
            found = {**(meanings(inherited, depth + 1) if inherited else {}), **found}
    return found


def plain(text: str) -> str:
    """Without the roles and the double backticks of reStructuredText, without "Default: ..." and an end stop."""
    text = re.sub(r":\w+:`~?!?([^`<]+?)(?:\s*<[^>]*>)?`", lambda role: f"`{role[1].rpartition('.')[2]}`", text)
    text = re.sub(
        r"\s*\(?\b[Dd]efaults?(?: is|:| to)\s.*?(?:\)|[.;](?=\s|$)|$)",
        "",
        re.sub(r"`__?(?!\w)", "`", text.replace("``", "`")),
    )
    return " ".join(text.split()).rstrip(".")


def _found(dotted: str) -> Definition | None:
    try:
        return find(dotted)
    except NotThereError:
        return None


def _documentation(definition: Definition | None) -> Iterator[str]:
    """The docstrings, without their indentation: of a class also that of its constructor, and `Class.__doc__ = ...`."""
    if definition is None or isinstance(definition.node, ast.expr):
        return
    nodes: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [definition.node]
    if isinstance(definition.node, ast.ClassDef):
        nodes += [
            item for item in definition.node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"
        ]
    assigned = definition.module.symbols.get(f"{definition.node.name}.__doc__")
    texts = [ast.get_docstring(node, clean=False) for node in nodes]
    texts += [_constant(assigned, definition.module)] if isinstance(assigned, ast.expr) else []
    yield from (inspect.cleandoc(text) for text in texts if text)


def _constant(expr: ast.expr, module: Module) -> str:
    """The text of strings that are added or formatted, whose names the module defines."""
    match expr:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _constant(left, module) + _constant(right, module)
        case ast.JoinedStr(values=parts):
            return "".join(_constant(part, module) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name):
            symbol = module.symbols.get(name)
            try:
                found = find(module.dotted(name)) if symbol is not None else None
            except NotThereError:
                return ""
            is_text = found is not None and isinstance(found.node, ast.Constant | ast.JoinedStr | ast.BinOp)
            return _constant(found.node, found.module) if found is not None and is_text else ""  # type: ignore[arg-type]
        case _:
            return ""


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """(name, meaning) of each argument that the text describes."""
    lines = text.splitlines()
    blocks = [index for index, line in enumerate(lines) if ARGUMENTS.match(line.strip())]
    if blocks:
        block = _indented(lines[blocks[0] + 1 :], len(lines[blocks[0]]) - len(lines[blocks[0]].lstrip()))
        yield from _of_lines(block)
        lines = [line for line in lines if not line.startswith(" ")]
    yield from _of_lines(lines)


def _indented(lines: Sequence[str], than: int) -> list[str]:
    """The lines up to the first that is indented by no more than `than` columns, themselves from column 0."""
    block: list[str] = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= than:
            break
        block.append(line)
    return inspect.cleandoc("\n".join(["", *block])).splitlines()


def _of_lines(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Entries begin in column 0; a line that begins none continues the one before, an empty line ends it."""
    names, parts = "", list[str]()
    for line in [*lines, ""]:
        ends = not line.strip() or OTHER.match(line)
        begins = None if ends or line.startswith(" ") else ENTRY.match(line)
        if begins or ends:
            yield from (
                (name.strip().lstrip("*"), meaning) for name in names.split(",") if (meaning := " ".join(parts))
            )
            names, parts = (begins["names"], (begins["meaning"] or "").split()) if begins else ("", [])
        elif names:
            parts += line.split()


def _first_sentence(text: str) -> str:
    found = re.match(r"(.+?[^.]\.)(?=\s+[A-Z`]|\s*$)", re.sub(r"\be\.g\.", "such as", text))
    return found[1] if found else text
