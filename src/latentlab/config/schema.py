"""The constructor signature is the config schema: a config is checked against the signatures of its `_target_`s.

They are read from the source files (see `sources`): a mistake is answered before anything slow is imported.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from latentlab.config.annotations import choices, describe, fits
from latentlab.config.signatures import Annotation, Signature, dotted_name, signature
from latentlab.config.sources import Import, Module, NotThereError
from latentlab.errors import ConfigError, nearest, unknown

Raw = Mapping[str, Any] | None

INSTANTIATE = {"_target_", "_partial_", "_args_", "_convert_", "_recursive_"}  # read by hydra.utils.instantiate
MISSING = "???"

# Arguments that the code passes itself, in place of any value of a config.
PASSED = {
    "latentlab.models.nets.": {"image_shape", "features", "condition_features"},
    "lightning.pytorch.Trainer": {"callbacks", "logger", "enable_progress_bar"},
    "torch.optim.": {"params"},
}

# Arguments of a second class that the code reads from a node.
ALSO_READ = {"lightning.pytorch.Trainer": "latentlab.training.execution.Execution"}

PARTS_TYPE = "latentlab.models.parts.Parts"  # passed to every variant, wherever it is defined

# The types of the keys that no constructor takes.
PLAIN = {
    "seed": "int",
    "initial_weights": "str | None",
    "resume": "str | None",
    "quiet": "bool | None",
    "evaluate": "Literal['none', 'quick', 'full']",
    "run": "str",
    "suite": "Literal['quick', 'full']",
    "samples": "int | None",
    "format": "Literal['onnx', 'pt2', 'safetensors']",
    "device": "str",
    "data_root": "str | None",
    "sweep": "dict",
    "sweep.name": "str | None",
    "name": "str | None",
    "sweep.job": "str | None",
    "sweep.report": "bool",
    "runs": "list[str] | None",
    "baseline": "str | None",
    "output": "str | None",
    "partial_data": "bool",
    "port": "int",
    "open": "bool",
    "paths": "dict",
    "paths.output_dir": "str",
    "paths.run_dir": "str",
}

# Keys of nodes with `_target_`, and groups whose members are such nodes or null.
REQUIRED_COMPONENTS = (
    *("model", "net.encoder", "net.decoder", "likelihood", "data", "optimizer", "scheduler", "trainer"),
    "callbacks.checkpoint",  # which selects a run's best epoch
)
OPTIONAL_COMPONENTS = ("callbacks", "logger", "measurements")
LEAST = {"callbacks": "no_pictures", "logger": "none"}  # the option that leaves out most


def check(config: Mapping[str, Any], raw: Raw = None) -> None:
    """Check a config.

    A wrong value that comes from an interpolation is reported where it was written. Arguments that are missing from
    a node with `_partial_` are no mistake: the code passes them.

    config: resolved, without its hydra node.
    raw: the same config with its interpolations unresolved.

    Raises:
        ConfigError: an unknown or missing key, a value of the wrong type, or a `_target_` that does not exist.
    """
    raw = config if raw is None else raw
    for key, annotation in PLAIN.items():
        found, value = select(config, key)
        if found:
            _check_value(key, value, plain_annotation(annotation), raw)
    for key in REQUIRED_COMPONENTS:
        found, value = select(config, key)
        if found and not _is_component(value):
            raise ConfigError(f"{key}: expected a node with _target_, found {_shown(value)}")
    is_training = {"model", "trainer"} <= config.keys()
    if is_training and (missing := [group for group in LEAST if group not in config]):
        group = missing[0]
        raise ConfigError(f"{group}: expected an option, found none; the least is {group}={LEAST[group]}")
    for group in OPTIONAL_COMPONENTS:
        _check_members(group, config.get(group))
    _check_tree("", config, raw)


def plain_annotation(text: str) -> Annotation:
    """A type of `PLAIN`."""
    return Annotation(ast.parse(text, mode="eval").body, _HERE)


def check_node(key: str, node: DictConfig) -> None:
    """Check one node with a `_target_`, as `check` does for those of a config."""
    plain: Any = OmegaConf.to_container(node, resolve=True)
    _check_node(key, plain, None)


def parameters(target: str) -> dict[str, Annotation] | None:
    """The arguments that a config may give to the class or function; None where it takes any name.

    Raises:
        NotThereError: there is no such class or function.
    """
    found = signature(target)
    return None if found is None or found.open else settable(target, found)


def settable(target: str, found: Signature) -> dict[str, Annotation]:
    """The arguments of that signature that a config may give, and those of a second class that are read beside them."""
    passed = {name for prefix, names in PASSED.items() if target.startswith(prefix) for name in names}
    also = signature(ALSO_READ[target]) if target in ALSO_READ else None
    return {
        name: annotation
        for name, annotation in {**found.parameters, **(also.parameters if also else {})}.items()
        if name not in passed
        and (annotation.expr is None or dotted_name(annotation.expr, annotation.module) != PARTS_TYPE)
    }


def _check_members(group: str, members: object) -> None:
    if not isinstance(members, Mapping | None):
        raise ConfigError(f"{group}: expected a mapping of nodes, found {_shown(members)}")
    for name, value in (members or {}).items():
        if value is not None and not _is_component(value):
            near = nearest(name, (other for other in members or {} if other != name))
            expected = f"{group}.{name}: expected null or a node with _target_"
            raise ConfigError(unknown(f"{expected}, found {_shown(value)}", near, ()))


def _check_tree(key: str, node: object, raw: Raw) -> None:
    for name, value in children(node):
        _check_tree(f"{key}.{name}" if key else name, value, raw)
    if isinstance(node, Mapping) and "_target_" in node:
        _check_node(key, node, raw)
    elif node == MISSING:
        raise ConfigError(f"{key}: missing; give it as {key}=VALUE")


def _check_node(key: str, node: Mapping[str, Any], raw: Raw) -> None:
    target = node["_target_"]
    if not isinstance(target, str):
        raise ConfigError(f"{key}._target_: expected the dotted name of a class, found {_shown(target)}")
    try:
        found = signature(target)
    except NotThereError as error:
        near = [] if not error.known else nearest(error.name, error.known)
        raise ConfigError(unknown(f"{key}._target_: {target} not found ({error})", near, ())) from error
    if found is None:
        return
    allowed = settable(target, found)
    for name, value in node.items():
        if name in INSTANTIATE:
            continue
        if name in allowed:
            _check_value(f"{key}.{name}", value, allowed[name], raw)
        elif not found.open or name in found.parameters:
            raise ConfigError(unknown(f"{key}.{name}: unknown", nearest(name, allowed), allowed))
    if not node.get("_partial_") and "_args_" not in node:
        for name, annotation in allowed.items():
            if annotation.required and name not in node:
                by_code = "" if annotation.expr else f", or annotate it in {target}, such as parts: Parts"
                raise ConfigError(f"{key}.{name}: missing; give it as {key}.{name}=VALUE{by_code}")


def _check_value(key: str, value: object, annotation: Annotation, raw: Raw) -> None:
    if value == MISSING or fits(value, annotation):
        return
    key = written_at(key, raw)
    allowed = [str(choice) for choice in choices(annotation) if isinstance(choice, str)]
    near = nearest(value, allowed) if isinstance(value, str) else []
    raise ConfigError(unknown(f"{key}: expected {describe(annotation)}, found {_shown(value)}", near, ()))


def written_at(key: str, raw: Raw, followed: frozenset[str] = frozenset()) -> str:
    """The key under which the value was written, through interpolations, but for those already `followed`."""
    names = key.split(".")
    for count in range(1, len(names) + 1):
        _, value = select(raw or {}, ".".join(names[:count]))
        reference = re.fullmatch(r"\$\{(\w+(\.\w+)*)\}", value) if isinstance(value, str) else None
        if reference and reference[1] not in followed and select(raw or {}, reference[1])[0]:
            return written_at(".".join([reference[1], *names[count:]]), raw, followed | {reference[1]})
    return key


def select(config: Mapping[str, Any], key: str) -> tuple[bool, Any]:
    """Whether the dotted key exists, and its value."""
    node: Any = config
    for part in key.split("."):
        inner = dict(children(node))
        if part not in inner:
            return False, None
        node = inner[part]
    return True, node


def children(node: object) -> Iterator[tuple[str, Any]]:
    """The keys of a node with their values, of a list the indices; nothing for any other value."""
    if isinstance(node, Mapping):
        yield from ((str(name), value) for name, value in node.items())
    elif isinstance(node, list):
        yield from ((str(index), value) for index, value in enumerate(node))


def _is_component(value: object) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def _shown(value: object) -> str:
    if value is None:
        return "null"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


_HERE = Module("latentlab.config.schema", {"Literal": Import("typing.Literal")}, ())
