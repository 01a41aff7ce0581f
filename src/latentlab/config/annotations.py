"""Whether a config value fits a type as it is written in a source file."""

import ast
from collections.abc import Mapping

from latentlab.config.signatures import Annotation, dotted_name
from latentlab.config.sources import Definition, Module, NotThereError, find

SCALARS: dict[str, tuple[type, ...]] = {
    "builtins.int": (int,),
    "builtins.float": (float, int),
    "builtins.str": (str,),
    "builtins.bool": (bool,),
    "pathlib.Path": (str,),
    "os.PathLike": (str,),
}
SEQUENCES = {"list", "tuple", "set", "frozenset", "List", "Tuple"}
SEQUENCES |= {"Sequence", "MutableSequence", "Iterable", "Collection"}
MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping"}
GENERIC = ("builtins.", "typing.", "typing_extensions.", "collections.abc.")
# a class that no plain value fits, and whose source takes long to read
_TENSOR = ast.ClassDef("Tensor", bases=[], keywords=[], body=[], decorator_list=[])
KNOWN = {"torch.Tensor": Definition(_TENSOR, Module("torch", {}, ()))}
_MADE = "a node with _target_ that makes a"

Type = tuple[ast.expr, Module]  # an expression, and the module in which its names have a meaning


def fits(value: object, annotation: Annotation) -> bool:
    """Whether the value is of that type; true where the sources do not determine it.

    A bool is no int, an int is a float, a list is a tuple. A node with `_target_` fits everything: what it
    makes is not known before it is made.
    """
    if annotation.expr is None or (annotation.optional and value is None):
        return True
    return _fits(value, annotation.expr, annotation.module)


def choices(annotation: Annotation) -> list[object]:
    """The values that a `Literal` in the annotation allows, in its order; empty without one."""
    return [value for expr, module in _members_of(annotation) for value in _literals(expr, module)]


def describe(annotation: Annotation) -> str:
    """The type as a message names it: `int`, `float or None`, `a node with _target_ that makes a Penalty`."""
    words = [word for expr, module in _members_of(annotation) for word in _words(expr, module)]
    words = list(dict.fromkeys([*words, "None"] if annotation.optional else words))
    plain = [word for word in words if not word.startswith(_MADE)]
    words = plain if set(plain) - {"None"} else words
    return " or ".join(words) if len(words) < 4 else f"one of {', '.join(words)}"


def _members_of(annotation: Annotation) -> list[Type]:
    return [] if annotation.expr is None else _members(annotation.expr, annotation.module)


def _members(expr: ast.expr, module: Module) -> list[Type]:
    """The types of a union, or the one type; aliases, types in quotes and `Annotated` are replaced by their meaning."""
    match expr:
        case ast.Constant(value=str() as text):
            return _members(_parsed(text), module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _members(left, module) + _members(right, module)
        case ast.Subscript(value=base, slice=inner):
            parts = _elements(inner)
            match _generic_name(base, module):
                case "Union":
                    return [member for part in parts for member in _members(part, module)]
                case "Optional":
                    return [*_members(parts[0], module), (ast.Constant(None), module)]
                case "Annotated" | "Final":
                    return _members(parts[0], module)
        case ast.Name() | ast.Attribute():
            definition = _definition(expr, module)
            if definition is not None and isinstance(definition.node, ast.expr):
                return _members(definition.node, definition.module)
    return [(expr, module)]


def _fits(value: object, expr: ast.expr, module: Module) -> bool:
    if isinstance(value, Mapping) and "_target_" in value:
        return True
    return any(_fits_member(value, *member) for member in _members(expr, module))


def _fits_member(value: object, expr: ast.expr, module: Module) -> bool:
    match expr:
        case ast.Constant(value=None):
            return value is None
        case ast.Name() | ast.Attribute():
            return _fits_class(value, expr, [], module)
        case ast.Subscript(value=base, slice=inner):
            return _fits_class(value, base, _elements(inner), module)
        case _:
            return True


def _fits_class(value: object, expr: ast.expr, inner: list[ast.expr], module: Module) -> bool:
    """inner: the types in brackets after the class."""
    scalar = SCALARS.get(dotted_name(expr, module) or "")
    if scalar is not None:
        return isinstance(value, scalar) and (bool in scalar or not isinstance(value, bool))
    name = _generic_name(expr, module)
    if name == "Literal":
        return any(value == part and type(value) is type(part) for part in _constants(inner))
    if name in MAPPINGS:
        return isinstance(value, Mapping)
    if name in SEQUENCES:
        return isinstance(value, list) and (not inner or _items_fit(value, name, inner, module))
    definition = _definition(expr, module)
    if definition is None or not isinstance(definition.node, ast.ClassDef):
        return True
    return _is_open(definition.node) or isinstance(value, Mapping)


def _items_fit(items: list[object], name: str, inner: list[ast.expr], module: Module) -> bool:
    if name in ("tuple", "Tuple") and not (len(inner) == 2 and _is_ellipsis(inner[1])):
        return len(items) == len(inner) and all(map(_fits, items, inner, [module] * len(inner)))
    return all(_fits(item, inner[0], module) for item in items)


def _literals(expr: ast.expr, module: Module) -> list[object]:
    match expr:
        case ast.Subscript(value=base, slice=inner) if _generic_name(base, module) == "Literal":
            return _constants(_elements(inner))
        case _:
            return []


def _words(expr: ast.expr, module: Module) -> list[str]:
    literals = _literals(expr, module)
    if literals:
        return [str(value) for value in literals]
    match expr:
        case ast.Subscript(value=base, slice=inner) if _generic_name(base, module) in SEQUENCES:
            kinds = [_members(part, module) for part in _elements(inner) if not _is_ellipsis(part)]
            items = [" or ".join(word for member in kind for word in _words(*member)) for kind in kinds]
            return [f"a list of {', '.join(items)}"]
        case ast.Name() | ast.Attribute() if _definition(expr, module) is not None:
            return [f"{_MADE} {ast.unparse(expr)}"]
        case _:
            return [ast.unparse(expr)]


def _definition(expr: ast.expr, module: Module) -> Definition | None:
    """The class or alias that the name means; None for a scalar, a generic or a name without sources."""
    dotted = dotted_name(expr, module)
    if dotted is None or dotted in SCALARS or _generic_name(expr, module):
        return None
    try:
        return KNOWN.get(dotted) or find(dotted)
    except NotThereError:
        return None


def _generic_name(expr: ast.expr, module: Module) -> str:
    """The last part of a name out of builtins, typing or collections.abc; empty for any other."""
    dotted = dotted_name(expr, module) or ""
    return next((dotted.removeprefix(prefix) for prefix in GENERIC if dotted.startswith(prefix)), "")


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


def _constants(parts: list[ast.expr]) -> list[object]:
    return [part.value for part in parts if isinstance(part, ast.Constant)]


def _is_ellipsis(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and part.value is ...
