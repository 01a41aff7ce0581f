"""What a class or function takes, read from its source."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import final

from latentlab.config.sources import Module, NotThereError, find

# Their own constructors take what they are given and then refuse all of it.
EMPTY = {"torch.nn.Module", "builtins.object", "abc.ABC", "typing.Protocol", "typing.Generic"}


@final
@dataclass(frozen=True)
class Annotation:
    """A type as it is written: `expr` in the words of `module`; None where nothing is written."""

    expr: ast.expr | None
    module: Module
    optional: bool = False  # a default of None allows None
    required: bool = False  # there is no default


@final
@dataclass(frozen=True)
class Signature:
    """The arguments that can be given by name; with `open`, any other too."""

    parameters: Mapping[str, Annotation]
    open: bool


@cache
def signature(target: str) -> Signature | None:
    """The signature of the class or function of that dotted name, None where the sources do not tell it.

    Raises NotThereError where there is no such thing.
    """
    if target in EMPTY:
        return Signature({}, open=False)
    definition = find(target)
    if definition is None:
        return None
    if isinstance(definition.node, ast.ClassDef):
        return _constructor(definition.node, definition.module)
    if isinstance(definition.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _function(definition.node, definition.module, bound="." in _place(target, definition.module))
    return None


def _place(target: str, module: Module) -> str:
    """The name inside its module: a method's holds a dot."""
    return target.removeprefix(module.name + ".") if target.startswith(module.name + ".") else ""


def _constructor(node: ast.ClassDef, module: Module) -> Signature | None:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    if "__init__" in methods:
        return _function(methods["__init__"], module, bound=True)
    if "__new__" in methods:
        return _function(methods["__new__"], module, bound=True)
    if any(_called(decorator) == "dataclass" for decorator in node.decorator_list):
        return _fields(node, module)
    bases = [dotted_name(base, module) for base in node.bases]
    if "typing.NamedTuple" in bases:
        return _fields(node, module)
    for base in bases:
        inherited = None if base is None else _quietly(base)
        if inherited is None or inherited.parameters or inherited.open:
            return inherited
    return Signature({}, open=False)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, module: Module, bound: bool) -> Signature:
    named = [*node.args.posonlyargs, *node.args.args][1 if bound else 0 :]
    defaults = [None] * len(named) + list(node.args.defaults)
    pairs = [*zip(named, defaults[len(defaults) - len(named) :], strict=True)]
    pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    parameters = {
        argument.arg: Annotation(argument.annotation, module, _is_none(default), required=default is None)
        for argument, default in pairs
    }
    return Signature(parameters, open=node.args.kwarg is not None)


def _fields(node: ast.ClassDef, module: Module) -> Signature | None:
    """The fields of a dataclass or named tuple, those of its bases first."""
    parameters: dict[str, Annotation] = {}
    for base in node.bases:
        dotted = dotted_name(base, module)
        if dotted in EMPTY or dotted == "typing.NamedTuple":
            continue
        inherited = None if dotted is None else _quietly(dotted)
        if inherited is None:
            return None
        parameters |= inherited.parameters
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and not _is_class_var(item):
            parameters[item.target.id] = Annotation(
                item.annotation, module, _is_none(item.value), required=item.value is None
            )
    return Signature(parameters, open=False)


def _quietly(target: str) -> Signature | None:
    try:
        return signature(target)
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


def _called(decorator: ast.expr) -> str:
    inner = decorator.func if isinstance(decorator, ast.Call) else decorator
    return inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")


def _is_class_var(item: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(item.annotation)


def _is_none(default: ast.expr | None) -> bool:
    return isinstance(default, ast.Constant) and default.value is None
