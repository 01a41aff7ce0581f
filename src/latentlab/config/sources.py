"""Definitions found by reading source files: a config is checked without importing torch, which is slow."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import final

MAX_REEXPORTS = 20  # a longer chain is a circle


@final
@dataclass(frozen=True)
class Import:
    """A name that is defined in another module."""

    dotted: str


Node = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr


@final
@dataclass(frozen=True)
class Module:
    """The names that a source file defines at its top level; `stars` are the modules it imports `*` from."""

    name: str
    symbols: Mapping[str, Node | Import]
    stars: tuple[str, ...]

    def dotted(self, name: str) -> str:
        """The full name of what `name` means in this module."""
        symbol = self.symbols.get(name)
        if isinstance(symbol, Import):
            return symbol.dotted
        return f"{self.name}.{name}" if symbol is not None else f"builtins.{name}"


@final
@dataclass(frozen=True)
class Definition:
    """A class, function or alias, and the module that defines it."""

    node: Node
    module: Module
    is_method: bool = False


@final
class NotThereError(LookupError):
    """No such name; `known` holds the names that the module defines."""

    def __init__(self, module: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"{module} has no {name}" if module else f"no module {name}; is its folder on PYTHONPATH?")
        self.name, self.known = name, tuple(known)


def forget_sources() -> None:
    """Read again what was read of sources; see `signatures.forget_signatures`, which is to be called."""
    invalidate_caches()
    for read in (find, _spec, _file, _load):
        read.cache_clear()


@cache
def find(dotted: str, depth: int = 0) -> Definition | None:
    """The definition of a dotted name, through re-exports; None where the sources do not determine it.

    Raises:
        NotThereError: the sources show that there is no such name.
    """
    if depth > MAX_REEXPORTS:
        return None
    parts = dotted.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        path = _file(name)
        if path is not None:
            return _member(_load(name, path), parts[length:], depth)
    if parts[0] in sys.builtin_module_names or _spec(parts[0]) is not None:
        return None
    raise NotThereError("", parts[0], ())


def _member(module: Module, parts: list[str], depth: int) -> Definition | None:
    name, rest = parts[0], parts[1:]
    symbol = module.symbols.get(name)
    if symbol is None:
        return _starred(module, parts, depth)
    if isinstance(symbol, Import):
        return find(".".join([symbol.dotted, *rest]), depth + 1)
    if not rest:
        return Definition(symbol, module)
    if isinstance(symbol, ast.ClassDef):
        methods = {node.name: node for node in symbol.body if isinstance(node, ast.FunctionDef)}
        return Definition(methods[rest[0]], module, is_method=True) if rest[0] in methods and len(rest) == 1 else None
    return None


def _starred(module: Module, parts: list[str], depth: int) -> Definition | None:
    for star in module.stars:
        try:
            return find(".".join([star, *parts]), depth + 1)
        except NotThereError:
            continue
    if "__getattr__" in module.symbols:
        return None
    raise NotThereError(module.name, parts[0], [name for name in module.symbols if not re.match(r"_|.*\.", name)])


@cache
def _spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)  # of a top-level name: imports nothing
    except (ImportError, ValueError):
        return None


@cache
def _file(name: str) -> Path | None:
    """The source file of a module, None where it has none."""
    top, *rest = name.split(".")
    spec = _spec(top)
    if spec is None or not all(part.isidentifier() for part in rest):
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") and not rest else None
    paths = [Path(folder, *rest) for folder in spec.submodule_search_locations]
    files = [file for path in paths for file in (path / "__init__.py", path.with_suffix(".py"))]
    return next((file for file in files if file.is_file()), None)


@cache
def _load(name: str, path: Path) -> Module:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    symbols: dict[str, Node | Import] = {}
    stars: list[str] = []
    for statement in _statements(ast.parse(path.read_bytes()).body):
        match statement:
            case ast.ClassDef(name=defined) | ast.FunctionDef(name=defined) | ast.AsyncFunctionDef(name=defined):
                symbols[defined] = statement
            case ast.Assign(targets=[ast.Name(id=defined)], value=value):
                symbols[defined] = value
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner), attr="__doc__")], value=value):
                symbols[f"{owner}.__doc__"] = value
            case ast.AnnAssign(target=ast.Name(id=defined), value=ast.expr() as value):
                symbols[defined] = value
            case ast.Import(names=names):
                for alias in names:
                    bound = alias.asname or alias.name.split(".")[0]
                    symbols[bound] = Import(alias.name if alias.asname else bound)
            case ast.ImportFrom(names=names):
                origin = _origin(statement, package)
                stars += [origin for alias in names if alias.name == "*"]
                symbols |= {alias.asname or alias.name: Import(f"{origin}.{alias.name}") for alias in names}
            case _:
                pass
    symbols.pop("*", None)
    return Module(name, symbols, tuple(stars))


def _origin(statement: ast.ImportFrom, package: str) -> str:
    if statement.level == 0:
        return statement.module or ""
    parents = package.split(".")[: len(package.split(".")) - (statement.level - 1)]
    return ".".join([*parents, *([statement.module] if statement.module else [])])


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also inside `if` and `try`; the first branch wins, so it comes last."""
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _statements(statement.orelse)
            yield from _statements(statement.body)
        elif isinstance(statement, ast.Try):
            for handler in statement.handlers:
                yield from _statements(handler.body)
            yield from _statements(statement.body)
        else:
            yield statement
