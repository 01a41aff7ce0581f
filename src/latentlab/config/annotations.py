"""Whether a config value fits a type as it is written in a source file."""

import ast
from collections.abc import Mapping
from typing import Any

from latentlab.config.signatures import Annotation, dotted_name
from latentlab.config.sources import Definition, Module, NotThereError, find

SCALARS: dict[str, tuple[type, ...]] = {
    "builtins.int": (int,),
    "builtins.float": (float, int),
    "builtins.str": (str,),
    "builtins.bool": (bool,),
    "builtins.list": (list,),
    "builtins.tuple": (list,),
    "builtins.dict": (Mapping,),
    "pathlib.Path": (str,),
    "os.PathLike": (str,),
}
SEQUENCES = {"list", "tuple", "Sequence", "Iterable", "Collection", "MutableSequence", "set", "frozenset"}
MAPPINGS = {"dict", "Mapping", "MutableMapping"}
UNIONS = {"Optional", "Union"}
_MADE = "a node with _target_ that makes a"
GENERIC = ("builtins.", "typing.", "typing_extensions.", "collections.abc.")


def fits(value: object, annotation: Annotation) -> bool:
    """Whether the value is of that type; true where the sources do not tell.

    A bool is no int, an int is a float, a list is a tuple. A node with `_target_` fits everything: what it
    makes is not known before it is made.
    """
    if annotation.expr is None or (annotation.optional and value is None):
        return True
    return _fits(value, annotation.expr, annotation.module)


def choices(annotation: Annotation) -> list[object]:
    """The values that a `Literal` in the annotation allows, in its order; empty without one."""
    return [] if annotation.expr is None else _choices(annotation.expr, annotation.module)


def describe(annotation: Annotation) -> str:
    """The type in a user's words: `int`, `float or None`, `a node with _target_ that makes a Penalty`."""
    assert annotation.expr is not None
    words = list(dict.fromkeys(_words(annotation.expr, annotation.module)))
    if annotation.optional and "None" not in words:
        words.append("None")
    plain = [word for word in words if not word.startswith(_MADE)]
    words = plain if set(plain) - {"None"} else words
    return " or ".join(words) if len(words) < 4 else f"one of {', '.join(words)}"


def _fits(value: object, expr: ast.expr, module: Module) -> bool:
    if isinstance(value, Mapping) and "_target_" in value:
        return True
    match expr:
        case ast.Constant(value=None):
            return value is None
        case ast.Constant(value=str() as text):
            return _fits(value, _parsed(text), module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _fits(value, left, module) or _fits(value, right, module)
        case ast.Name() | ast.Attribute():
            return _fits_name(value, dotted_name(expr, module))
        case ast.Subscript(value=base, slice=inner):
            return _fits_generic(value, dotted_name(base, module), _elements(inner), module)
        case _:
            return True


def _fits_name(value: object, dotted: str | None) -> bool:
    if dotted in SCALARS:
        is_bool_by_chance = isinstance(value, bool) and dotted != "builtins.bool"
        return isinstance(value, SCALARS[dotted]) and not is_bool_by_chance
    name = _generic_name(dotted)
    if name in SEQUENCES:
        return isinstance(value, list)
    if name in MAPPINGS:
        return isinstance(value, Mapping)
    definition = None if dotted is None or name else _found(dotted)
    if definition is None:
        return True
    if isinstance(definition.node, ast.ClassDef):
        return _is_open(definition.node) or isinstance(value, Mapping)
    return not isinstance(definition.node, ast.expr) or _fits(value, definition.node, definition.module)


def _fits_generic(value: object, dotted: str | None, inner: list[ast.expr], module: Module) -> bool:
    name = _generic_name(dotted)
    if name in UNIONS:
        return (name == "Optional" and value is None) or any(_fits(value, part, module) for part in inner)
    if name == "Literal":
        return any(value == part and type(value) is type(part) for part in _constants(inner))
    if name in ("Annotated", "Final"):
        return _fits(value, inner[0], module)
    if name in MAPPINGS:
        return isinstance(value, Mapping)
    if name not in SEQUENCES:
        return True
    if not isinstance(value, list):
        return False
    if name == "tuple" and not (len(inner) == 2 and _is_ellipsis(inner[1])):
        return len(value) == len(inner) and all(map(_fits, value, inner, [module] * len(inner)))
    return all(_fits(item, inner[0], module) for item in value)


def _choices(expr: ast.expr, module: Module) -> list[object]:
    match expr:
        case ast.Constant(value=str() as text):
            return _choices(_parsed(text), module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _choices(left, module) + _choices(right, module)
        case ast.Subscript(value=base, slice=inner):
            name = _generic_name(dotted_name(base, module))
            if name == "Literal":
                return _constants(_elements(inner))
            return [c for part in _elements(inner) for c in _choices(part, module)] if name in UNIONS else []
        case ast.Name() | ast.Attribute():
            alias = _alias(expr, module)
            return [] if alias is None else _choices(*alias)
        case _:
            return []


def _words(expr: ast.expr, module: Module) -> list[str]:
    match expr:
        case ast.Constant(value=None):
            return ["None"]
        case ast.Constant(value=str() as text):
            return _words(_parsed(text), module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _words(left, module) + _words(right, module)
        case ast.Subscript(value=base, slice=inner):
            name = _generic_name(dotted_name(base, module))
            if name in UNIONS:
                words = [word for part in _elements(inner) for word in _words(part, module)]
                return [*words, "None"] if name == "Optional" else words
            if name == "Literal":
                return [str(value) for value in _constants(_elements(inner))]
            if name in SEQUENCES:
                parts = [" or ".join(_words(part, module)) for part in _elements(inner) if not _is_ellipsis(part)]
                return [f"a list of {', '.join(parts)}"]
        case ast.Name() | ast.Attribute():
            alias = _alias(expr, module)
            if alias is not None:
                return _words(*alias)
            dotted = dotted_name(expr, module) or ""
            if dotted in SCALARS or _generic_name(dotted) or _found(dotted) is None:
                return [ast.unparse(expr)]
            return [f"{_MADE} {ast.unparse(expr)}"]
        case _:
            pass
    return [ast.unparse(expr)]


def _alias(expr: ast.expr, module: Module) -> tuple[ast.expr, Module] | None:
    dotted = dotted_name(expr, module)
    if dotted is None or dotted in SCALARS or _generic_name(dotted):
        return None
    definition = _found(dotted)
    if definition is None or not isinstance(definition.node, ast.expr):
        return None
    return definition.node, definition.module


def _generic_name(dotted: str | None) -> str:
    """The last part of a name out of builtins, typing or collections.abc; empty for any other."""
    prefix = next((prefix for prefix in GENERIC if (dotted or "").startswith(prefix)), None)
    if dotted is None or prefix is None:
        return ""
    name = dotted.removeprefix(prefix)
    return {"List": "list", "Tuple": "tuple", "Dict": "dict"}.get(name, name)


def _found(dotted: str) -> Definition | None:
    try:
        return find(dotted)
    except NotThereError:
        return None


def _is_open(node: ast.ClassDef) -> bool:
    """Whether plain values may stand for members of the class: enumerations and typed dictionaries."""
    return any("Enum" in ast.unparse(base) or "TypedDict" in ast.unparse(base) for base in node.bases)


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return ast.Name("Any")


def _elements(inner: ast.expr) -> list[ast.expr]:
    return inner.elts if isinstance(inner, ast.Tuple) else [inner]


def _constants(parts: list[ast.expr]) -> list[Any]:
    return [part.value for part in parts if isinstance(part, ast.Constant)]


def _is_ellipsis(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and part.value is ...
