"""The constructor signature is the config schema, read without importing what it checks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.config.annotations import fits
from latentlab.config.schema import check, parameters
from latentlab.config.sources import NotThereError, find
from latentlab.errors import ConfigError

PARTS = """
from __future__ import annotations
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple, Optional, Union

Mode = Literal["fast", "slow"]

class Colour(Enum):
    RED = "red"

class Wheel:
    def __init__(self, spokes: int) -> None: ...

class Car:
    def __init__(self, doors: int, price: float, name: str, used: bool, mode: Mode, sizes: Sequence[int],
                 wheel: Wheel, place: Path, nick: Optional[str] = None, either: Union[int, str] = 1,
                 pair: tuple[int, str] = (1, "a"), rest: tuple[float, ...] = (),
                 table: Mapping[str, int] = {},
                 late: "int | None" = None, implicit: int = None, anything: Any = 0, free=0,
                 act: Callable[[int], int] = abs, colour: Colour = Colour.RED) -> None: ...
    @classmethod
    def named(cls, name: str) -> Car: ...

class Van(Car):
    pass

@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0

@dataclass
class Labelled(Point):
    label: str = ""

class Pair(NamedTuple):
    left: int
    right: int

class Greedy:
    def __init__(self, known: int, **rest: Any) -> None: ...

class Bare: ...

class Unannotated:
    def __init__(self, parts): ...

def build(size: int, *, deep: bool = False) -> Car: ...
"""


@pytest.fixture(scope="module", autouse=True)
def garage(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("sources")
    package = folder / "garage_of_test_schema"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\nfrom .inner import Car as Auto\n")
    (package / "inner" / "__init__.py").write_text("from .parts import *\n")
    (package / "inner" / "parts.py").write_text(PARTS)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def node(name: str, /, **arguments: object) -> dict[str, object]:
    return {"_target_": f"garage_of_test_schema.inner.parts.{name}", **arguments}


def complaint(config: dict[str, object], raw: dict[str, object] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        check(config, raw)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "good", "bad", "expected"),
    [
        ("doors", [3], ["3", 3.0, True, None, [3]], "int"),
        ("price", [3, 3.5, float("inf")], ["3", True, None], "float"),
        ("name", ["x"], [3, None], "str"),
        ("used", [True], [1, "yes", None], "bool"),
        ("mode", ["fast", "slow"], ["faster", 1, None], "fast or slow"),
        ("sizes", [[], [1, 2]], [3, "12", [1, "2"], [1.5], None], "a list of int"),
        ("place", ["/tmp"], [3, None], "Path"),
        ("nick", ["x", None], [3], "str or None"),
        ("either", [1, "x"], [1.5, None, True], "int or str"),
        ("pair", [[1, "a"]], [[1], ["a", 1], 1], "a list of int, str"),
        ("rest", [[], [1, 2.5]], [["a"], 1], "a list of float"),
        ("table", [{"a": 1}], [3, [1]], "Mapping[str, int]"),
        ("late", [1, None], ["x"], "int or None"),
        ("implicit", [1, None], ["x"], "int or None"),
        ("anything", [1, "x", None, [1]], [], ""),
        ("free", [1, "x", None, [1]], [], ""),
        ("act", ["x", None], [], ""),
        ("colour", ["red"], [], ""),
        (
            "wheel",
            [node("Wheel", spokes=3), {"a": 1}],
            [3, "x", None, [1]],
            "a node with _target_ that makes a Wheel",
        ),
    ],
)
def test_values_are_checked_against_the_annotation(name: str, good: list, bad: list, expected: str):
    for value in good:
        check({"car": node("Car", _partial_=True, **{name: value})})
    for value in bad:
        assert complaint({"car": node("Car", _partial_=True, **{name: value})}).startswith(
            f"car.{name}: expected {expected}, found"
        )


def test_the_message_names_key_value_and_type():
    assert complaint({"car": node("Car", doors="abc")}) == "car.doors: expected int, found 'abc' (str)"


def test_a_mistyped_choice_is_answered_with_the_nearest():
    assert complaint({"car": node("Car", mode="slwo")}).endswith("; did you mean slow?")


def test_an_unknown_argument_is_answered_with_the_nearest_and_all():
    assert complaint({"a": {"b": [node("Wheel", spoks=3)]}}) == (
        "a.b.0.spoks: unknown; did you mean spokes? (allowed: spokes)"
    )


def test_what_a_node_makes_is_not_checked_before_it_is_made():
    check({"car": node("Car", _partial_=True, doors=node("build", size=3))})


def test_a_missing_argument_is_named_unless_the_code_passes_it():
    assert complaint({"wheel": node("Wheel")}) == "wheel.spokes: missing; give it as wheel.spokes=VALUE"
    assert complaint({"point": node("Labelled", label="a")}).startswith("point.x: missing")
    assert complaint({"bare": node("Unannotated")}).endswith(".Unannotated, such as parts: Parts")
    check({"wheel": node("Wheel", _partial_=True), "point": node("Point", x=1.0)})
    check({"model": {"_target_": "latentlab.models.ae.AE", "latent_dim": 3}})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("Van", "car.nope: unknown (allowed: act, anything"),
        ("Labelled", "car.nope: unknown (allowed: label, x, y)"),
        ("Pair", "car.nope: unknown (allowed: left, right)"),
        ("build", "car.nope: unknown (allowed: deep, size)"),
        ("Car.named", "car.nope: unknown (allowed: name)"),
        ("Bare", "car.nope: unknown"),
    ],
)
def test_inherited_constructors_dataclasses_and_functions_are_signatures_too(target: str, expected: str):
    assert complaint({"car": node(target, nope=1)}).startswith(expected)


def test_reexports_are_followed_without_importing_the_package():
    for target in ("garage_of_test_schema.Auto", "garage_of_test_schema.inner.Car"):
        assert complaint({"car": {"_target_": target, "doors": "x"}}).startswith("car.doors: expected int")


def test_a_signature_that_takes_any_name_allows_any_name_but_checks_those_it_knows():
    check({"x": node("Greedy", known=1, other="anything")})
    assert complaint({"x": node("Greedy", known="a")}).startswith("x.known: expected int")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "no_such_package.Thing",
            "x._target_: no_such_package.Thing not found (no module no_such_package; is its folder on PYTHONPATH?)",
        ),
        ("garage_of_test_schema.inner.parts.Weel", "did you mean Wheel?"),
        (3, "x._target_: expected the dotted name of a class, found 3 (int)"),
    ],
)
def test_a_missing_target_is_named(target: object, expected: str):
    assert expected in complaint({"x": {"_target_": target}})


def test_targets_without_sources_are_not_checked():
    check({"x": {"_target_": "math.sqrt", "nope": 1}, "y": {"_target_": "builtins.dict", "a": 1}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "x"),
        ("seed", 1.5),
        ("resume", 3),
        ("quiet", "no"),
        ("paths", 3),
        ("model", "vae"),
    ],
)
def test_keys_that_no_constructor_takes_are_checked_too(key: str, value: object):
    assert complaint({key: value}).startswith(f"{key}: expected")


def test_the_trainer_takes_the_arguments_of_execution():
    trainer = {"_target_": "lightning.pytorch.Trainer", "max_epochs": 1}
    check({"trainer": {**trainer, "steps_per_call": 5, "compile": True, "matmul_precision": "high"}})
    assert complaint({"trainer": {**trainer, "steps_per_call": "5"}}).startswith("trainer.steps_per_call: expected int")
    assert "highest" in complaint({"trainer": {**trainer, "matmul_precision": "low"}})
    assert "did you mean steps_per_call" in complaint({"trainer": {**trainer, "steps_per_cal": 5}})


def test_a_member_of_callbacks_is_a_part_or_null():
    check({"callbacks": {"off": None, "on": node("Bare")}, "logger": None})
    assert complaint({"callbacks": {"off": 3}}).startswith("callbacks.off: expected null or a node with _target_")


def test_a_missing_value_is_named():
    assert complaint({"a": {"b": "???"}}) == "a.b: missing; give it as a.b=VALUE"


def test_a_wrong_value_is_reported_where_it_was_written():
    raw = {"sizes": "x", "other": "${sizes}", "car": node("Car", sizes="${other}")}
    resolved = {"sizes": "x", "other": "x", "car": node("Car", sizes="x")}
    assert complaint(resolved, raw).startswith("sizes: expected a list of int, found 'x'")


def test_arguments_that_the_code_passes_are_not_for_the_config():
    assert {"parts"}.isdisjoint(parameters("latentlab.models.ae.AE") or {})
    assert "latent_dim" in (parameters("latentlab.models.ae.AE") or {})
    assert {"logger", "callbacks"}.isdisjoint(parameters("lightning.pytorch.Trainer") or {})


def test_known_libraries_are_read():
    assert {"lr", "betas", "weight_decay"} <= set(parameters("torch.optim.Adam") or {})
    assert {"max_epochs", "precision"} <= set(parameters("lightning.pytorch.Trainer") or {})
    with pytest.raises(NotThereError):
        parameters("torch.optim.Adan")


def test_a_tensor_of_torch_is_known_without_reading_where_it_is_defined():
    """The stand-in is right: it is a class, and neither an enumeration nor a typed dictionary."""
    found = find("torch.Tensor")
    assert isinstance(found.node, ast.ClassDef)
    assert found.node.name == "Tensor"
    rate = parameters("torch.optim.Adam")["lr"]
    assert "Tensor" in str(ast.unparse(rate.expr))
    assert [fits(value, rate) for value in (0.1, "0.1", {"_target_": "torch.tensor"})] == [True, False, True]


def test_nothing_slow_is_imported():
    code = (
        "import sys; from latentlab.config.schema import check;"
        "check({'o': {'_target_': 'torch.optim.Adam', 'lr': 1}});"
        "check({'t': {'_target_': 'lightning.pytorch.Trainer'}});"
        "print(sorted({'torch', 'lightning', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@given(st.dictionaries(st.sampled_from(["doors", "price", "mode", "pair", "wheel", "table", "nope"]), values))
@settings(deadline=None, max_examples=30)
def test_any_value_passes_or_gives_one_line(arguments: dict[str, object]):
    config = {"car": node("Car", **arguments)}
    message = ""
    try:
        check(config)
    except ConfigError as error:
        message = str(error)
    assert message == "" or message.startswith("car.")
    assert "\n" not in message
