"""What a class or function takes, read from its source."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import final

from latentlab.config.sources import Module, NotThereError, find, forget_sources

# Bases that add no argument; the constructors of some accept any and then refuse all of them.
EMPTY = {"torch.nn.Module", "builtins.object", "abc.ABC", "typing.Protocol", "typing.Generic", "typing.NamedTuple"}


@final
@dataclass(frozen=True)
class Annotation:
    """A type as it is written: `expr`, whose names have their meaning in `module`; None where nothing is written."""

    expr: ast.expr | None
    module: Module
    optional: bool = False  # a default of None allows None
    required: bool = False  # there is no default
    default: ast.expr | None = None


@final
@dataclass(frozen=True)
class Signature:
    """The arguments that can be given by name; with `open`, any other too."""

    parameters: Mapping[str, Annotation]
    open: bool = False


def forget_signatures() -> None:
    """Read sources and signatures again: in a long process, as of a notebook, files may have changed or come."""
    forget_sources()
    signature.cache_clear()


@cache
def signature(target: str) -> Signature | None:
    """The signature of the class or function of that dotted name; None where the sources do not determine it.

    Raises:
        NotThereError: there is no such class or function.
    """
    if target in EMPTY:
        return Signature({})
    definition = find(target)
    if definition is None:
        return None
    if isinstance(definition.node, ast.ClassDef):
        return _constructor(definition.node, definition.module)
    if isinstance(definition.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _function(definition.node, definition.module, definition.is_method)
    return None


def _constructor(node: ast.ClassDef, module: Module) -> Signature | None:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    for name in ("__init__", "__new__"):
        if name in methods:
            return _function(methods[name], module, is_method=True)
    decorators = [ast.unparse(decorator).partition("(")[0] for decorator in node.decorator_list]
    is_named_tuple = any(dotted_name(base, module) == "typing.NamedTuple" for base in node.bases)
    if is_named_tuple or any(decorator.endswith("dataclass") for decorator in decorators):
        return _fields(node, module)
    for base in node.bases:
        inherited = _of_base(base, module)
        if inherited is None or inherited.parameters or inherited.open:
            return inherited
    return Signature({})


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, module: Module, is_method: bool) -> Signature:
    named = [*node.args.posonlyargs, *node.args.args]
    defaults = [*[None] * (len(named) - len(node.args.defaults)), *node.args.defaults]
    pairs = [*zip(named, defaults, strict=True)][1 if is_method else 0 :]
    pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    parameters = {argument.arg: _annotation(argument.annotation, default, module) for argument, default in pairs}
    return Signature(parameters, open=node.args.kwarg is not None)


def _fields(node: ast.ClassDef, module: Module) -> Signature | None:
    """The fields of a dataclass or named tuple, those of its bases first."""
    parameters: dict[str, Annotation] = {}
    for base in node.bases:
        inherited = _of_base(base, module)
        if inherited is None:
            return None
        parameters |= inherited.parameters
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or "ClassVar" in ast.unparse(item.annotation):
            continue
        if isinstance(item.target, ast.Name):
            parameters[item.target.id] = _annotation(item.annotation, item.value, module)
    return Signature(parameters)


def _annotation(expr: ast.expr | None, default: ast.expr | None, module: Module) -> Annotation:
    is_none = isinstance(default, ast.Constant) and default.value is None
    return Annotation(expr, module, optional=is_none, required=default is None, default=default)


def _of_base(base: ast.expr, module: Module) -> Signature | None:
    dotted = dotted_name(base, module)
    try:
        return None if dotted is None else signature(dotted)
    except NotThereError:
        return None


def dotted_name(expr: ast.expr, module: Module) -> str | None:
    """The full name of a class given as `Name`, `module.Name` or `Name[...]`."""
    match expr:
        case ast.Name(id=name):
            return module.dotted(name)
        case ast.Attribute(value=value, attr=name):
            before = dotted_name(value, module)
            return None if before is None else f"{before}.{name}"
        case ast.Subscript(value=value):
            return dotted_name(value, module)
        case _:
            return None
